/**
 * Exact decimal numbers: mantissa * 10^exponent (FIX SBE's decimal64, and wider).
 *
 * The mantissa is a number while it is a safe integer and a bigint beyond. In normal form it has no
 * trailing zeros and zero is 0e0, so equal values have equal parts. What `parseDecimal` and
 * `normalizeDecimal` return is in normal form; sums and products need not be.
 */
export interface Decimal {
  readonly mantissa: number | bigint
  readonly exponent: number
}

export const zero: Decimal = { mantissa: 0, exponent: 0 }

/** Larger exponents are no price or quantity, and would make a sum's mantissa grow without bound. */
const maxExponent = 400

const decimalPattern = /^([+-]?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/

/**
 * Reads a number as a venue wrote it: digits with an optional sign, fraction and exponent.
 *
 * @returns the exact value in normal form; undefined if the text is no number, or its exponent is
 *   beyond +-400.
 */
export function parseDecimal(text: string): Decimal | undefined {
  const match = decimalPattern.exec(text)
  if (match === null) return undefined
  const [, sign, whole = '', fraction = '', power = '0'] = match
  const exponent = Number(power) - fraction.length
  if (Math.abs(exponent) > maxExponent) return undefined
  const digits = whole + fraction
  const magnitude = digits.length <= 15 ? Number(digits) : BigInt(digits)
  return normalizeDecimal({ mantissa: sign === '-' ? -magnitude : magnitude, exponent })
}

/** Plain digits, never an exponent: `0.00012`, `-3`, `1000`. */
export function formatDecimal(value: Decimal): string {
  const negative = value.mantissa < 0
  const digits = String(negative ? -value.mantissa : value.mantissa)
  if (digits === '0') return '0'
  const sign = negative ? '-' : ''
  if (value.exponent >= 0) return sign + digits + '0'.repeat(value.exponent)
  const scale = -value.exponent
  const padded = digits.padStart(scale + 1, '0')
  const whole = padded.slice(0, -scale)
  const fraction = padded.slice(-scale).replace(/0+$/, '')
  return fraction === '' ? sign + whole : `${sign}${whole}.${fraction}`
}

/** The same value without trailing zeros. */
export function normalizeDecimal(value: Decimal): Decimal {
  let { mantissa, exponent } = value
  if (typeof mantissa === 'bigint') {
    while (!isSafe(mantissa) && mantissa % 10n === 0n) {
      mantissa /= 10n
      exponent += 1
    }
    if (isSafe(mantissa)) mantissa = Number(mantissa)
  }
  // The wide loop above leaves a bigint only when it has no trailing zero.
  if (typeof mantissa === 'bigint') return { mantissa, exponent }
  if (mantissa === 0) return zero
  while (mantissa % 10 === 0) {
    mantissa /= 10
    exponent += 1
  }
  return { mantissa, exponent }
}

export function addDecimals(a: Decimal, b: Decimal): Decimal {
  const exponent = Math.min(a.exponent, b.exponent)
  const left = scaleMantissa(a, exponent)
  const right = scaleMantissa(b, exponent)
  if (typeof left === 'number' && typeof right === 'number') {
    const sum = left + right
    if (Number.isSafeInteger(sum)) return { mantissa: sum, exponent }
  }
  return { mantissa: narrow(BigInt(left) + BigInt(right)), exponent }
}

export function negateDecimal(value: Decimal): Decimal {
  return { mantissa: value.mantissa === 0 ? 0 : -value.mantissa, exponent: value.exponent }
}

export function multiplyDecimals(a: Decimal, b: Decimal): Decimal {
  const exponent = a.exponent + b.exponent
  if (typeof a.mantissa === 'number' && typeof b.mantissa === 'number') {
    const product = a.mantissa * b.mantissa
    if (Number.isSafeInteger(product)) return { mantissa: product === 0 ? 0 : product, exponent }
  }
  return { mantissa: narrow(BigInt(a.mantissa) * BigInt(b.mantissa)), exponent }
}

/**
 * a / b with at most `scale` digits after the point, rounded half to even.
 *
 * @throws RangeError if b is zero.
 */
export function divideDecimals(a: Decimal, b: Decimal, scale: number): Decimal {
  const divisor = BigInt(b.mantissa)
  if (divisor === 0n) throw new RangeError('Cannot divide a decimal by zero')
  const shift = a.exponent - b.exponent + scale
  const numerator = BigInt(a.mantissa) * 10n ** BigInt(Math.max(shift, 0))
  const denominator = divisor * 10n ** BigInt(Math.max(-shift, 0))
  return normalizeDecimal({
    mantissa: narrow(divideHalfEven(numerator, denominator)),
    exponent: -scale,
  })
}

/** Negative, zero or positive, as for sorting. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  const exponent = Math.min(a.exponent, b.exponent)
  const left = scaleMantissa(a, exponent)
  const right = scaleMantissa(b, exponent)
  if (left === right) return 0
  // A number and a bigint compare by value.
  return left < right ? -1 : left > right ? 1 : 0
}

export function equalDecimals(a: Decimal, b: Decimal): boolean {
  return compareDecimals(a, b) === 0
}

/** The nearest double: for indicators and screens, never for sums. */
export function decimalToNumber(value: Decimal): number {
  return Number(`${value.mantissa}e${value.exponent}`)
}

function divideHalfEven(numerator: bigint, denominator: bigint): bigint {
  const negative = numerator < 0n !== denominator < 0n
  const n = numerator < 0n ? -numerator : numerator
  const d = denominator < 0n ? -denominator : denominator
  let quotient = n / d
  const twice = (n % d) * 2n
  if (twice > d || (twice === d && quotient % 2n === 1n)) quotient += 1n
  return negative ? -quotient : quotient
}

function scaleMantissa(value: Decimal, exponent: number): number | bigint {
  const shift = value.exponent - exponent
  if (shift === 0) return value.mantissa
  if (typeof value.mantissa === 'number' && shift <= 15) {
    const scaled = value.mantissa * 10 ** shift
    if (Number.isSafeInteger(scaled)) return scaled
  }
  return BigInt(value.mantissa) * 10n ** BigInt(shift)
}

function narrow(mantissa: bigint): number | bigint {
  return isSafe(mantissa) ? Number(mantissa) : mantissa
}

function isSafe(mantissa: bigint): boolean {
  return mantissa <= BigInt(Number.MAX_SAFE_INTEGER) && mantissa >= BigInt(Number.MIN_SAFE_INTEGER)
}
