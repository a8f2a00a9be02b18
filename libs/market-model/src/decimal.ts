/**
 * Exact decimal numbers: mantissa * 10^exponent (FIX SBE's decimal64, and wider).
 *
 * The mantissa is a number within +-(2^53 - 2), the longs that avsc takes, and a bigint beyond. In
 * normal form it has no trailing zeros and zero is 0e0, so equal values have equal parts. What `parseDecimal` and
 * `normalizeDecimal` return is in normal form; sums and products need not be.
 */
export interface Decimal {
  readonly mantissa: number | bigint
  readonly exponent: number
}

export const zero: Decimal = { mantissa: 0, exponent: 0 }

/**
 * Digits on either side of the point. More are no price or quantity: they would make a sum's
 * mantissa grow without bound, and cost quadratic time to read.
 */
const maxPlaces = 400

const maxNarrow = Number.MAX_SAFE_INTEGER - 1
const maxNarrowWide = BigInt(maxNarrow)

/** 10^0 ... 10^22: the powers of ten that a double holds exactly. */
const exactPowers = Array.from({ length: 23 }, (_, power) => Number(`1e${power}`))

const decimalPattern = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/

/**
 * Reads a number as a venue wrote it: digits with an optional sign, fraction and exponent.
 *
 * @returns the exact value in normal form; undefined if the text is no number, or would have more
 *   than 400 digits on one side of the point without its exponent.
 */
export function parseDecimal(text: string): Decimal | undefined {
  return parsePlain(text) ?? parseAny(text)
}

/**
 * Plain digits within 2^53, which is nearly all that venues send: read in one pass, 50 ns against
 * 230 ns with the pattern. undefined sends the text on to `parseAny`.
 */
function parsePlain(text: string): Decimal | undefined {
  const negative = text.charCodeAt(0) === 45
  const begin = negative ? 1 : 0
  let mantissa = 0
  // Zeros count once another digit follows: trailing ones never enter the mantissa.
  let zeros = 0
  let pointAt = -1
  for (let at = begin; at < text.length; at += 1) {
    const digit = text.charCodeAt(at) - 48
    if (digit === 0) zeros += 1
    else if (digit > 0 && digit <= 9) {
      mantissa = mantissa * (exactPowers[zeros + 1] ?? Infinity) + digit
      zeros = 0
      // Beyond the safe range doubles never round back into it, so nothing inexact gets by.
      if (!(mantissa <= maxNarrow)) return undefined
    } else if (digit === -2 && pointAt === -1 && at > begin) pointAt = at
    else return undefined
  }
  const fractionLength = pointAt === -1 ? 0 : text.length - pointAt - 1
  const isEmpty = text.length === begin || pointAt === text.length - 1
  if (isEmpty || text.length > maxPlaces) return undefined
  if (mantissa === 0) return zero
  return { mantissa: negative ? -mantissa : mantissa, exponent: zeros - fractionLength }
}

function parseAny(text: string): Decimal | undefined {
  const match = decimalPattern.exec(text)
  if (match === null) return undefined
  const [, sign, whole = '', fraction = '', power = '0'] = match
  const exponent = Number(power) - fraction.length
  const digits = whole + fraction
  if (exponent < -maxPlaces || digits.length + exponent > maxPlaces) return undefined
  const magnitude = BigInt(digits)
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
  if (typeof value.mantissa === 'bigint') return normalizeWide(value.mantissa, value.exponent)
  let { mantissa, exponent } = value
  if (mantissa === 0) return zero
  if (mantissa % 10 !== 0) {
    return isNarrow(mantissa) ? value : { mantissa: BigInt(mantissa), exponent }
  }
  do {
    mantissa /= 10
    exponent += 1
  } while (mantissa % 10 === 0)
  return { mantissa, exponent }
}

function normalizeWide(wide: bigint, power: number): Decimal {
  let mantissa = wide
  let exponent = power
  // In large steps first: each division of a wide mantissa costs its whole length.
  for (const step of [64, 8, 1]) {
    const divisor = powerOfTen(step)
    while (!isNarrow(mantissa) && mantissa % divisor === 0n) {
      mantissa /= divisor
      exponent += step
    }
  }
  // A mantissa that is still wide has no trailing zero.
  if (!isNarrow(mantissa)) return { mantissa, exponent }
  return normalizeDecimal({ mantissa: Number(mantissa), exponent })
}

export function addDecimals(a: Decimal, b: Decimal): Decimal {
  if (a.mantissa === 0) return b
  if (b.mantissa === 0) return a
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
  const numerator = BigInt(a.mantissa) * powerOfTen(Math.max(shift, 0))
  const denominator = divisor * powerOfTen(Math.max(-shift, 0))
  return normalizeDecimal({
    mantissa: narrow(divideHalfEven(numerator, denominator)),
    exponent: -scale,
  })
}

/** Negative, zero or positive, as for sorting. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  if (a.exponent === b.exponent) {
    return a.mantissa < b.mantissa ? -1 : a.mantissa > b.mantissa ? 1 : 0
  }
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
  const { mantissa, exponent } = value
  // Two exact doubles: their one quotient or product is rounded once, so it is the nearest.
  const power = exactPowers[Math.abs(exponent)]
  if (typeof mantissa === 'number' && power !== undefined) {
    return exponent < 0 ? mantissa / power : mantissa * power
  }
  return Number(`${mantissa}e${exponent}`)
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
  if (typeof value.mantissa === 'number') {
    const scaled = value.mantissa * (exactPowers[shift] ?? Infinity)
    if (Number.isSafeInteger(scaled)) return scaled
  }
  return BigInt(value.mantissa) * powerOfTen(shift)
}

/** Divisions ask for the same few powers over and over. */
const widePowers: bigint[] = []

function powerOfTen(power: number): bigint {
  if (power > maxPlaces) return 10n ** BigInt(power)
  return (widePowers[power] ??= 10n ** BigInt(power))
}

function narrow(mantissa: bigint): number | bigint {
  return isNarrow(mantissa) ? Number(mantissa) : mantissa
}

function isNarrow(mantissa: number | bigint): boolean {
  return typeof mantissa === 'number'
    ? mantissa <= maxNarrow && mantissa >= -maxNarrow
    : mantissa <= maxNarrowWide && mantissa >= -maxNarrowWide
}
