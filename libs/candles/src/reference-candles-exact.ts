/** Exact decimals of the reference: integers with a power of ten, no size limit, no shortcut. */
import type { Decimal } from '@tickertape/market-model'

/** digits * 10^power */
export interface Exact {
  readonly digits: bigint
  readonly power: number
}

export const nothing: Exact = { digits: 0n, power: 0 }

export function exact({ mantissa, exponent }: Decimal): Exact {
  return { digits: BigInt(mantissa), power: exponent }
}

export function plus(a: Exact, b: Exact): Exact {
  const power = Math.min(a.power, b.power)
  return { digits: digitsAt(a, power) + digitsAt(b, power), power }
}

export function times(a: Exact, b: Exact): Exact {
  return { digits: a.digits * b.digits, power: a.power + b.power }
}

/** At 18 decimals, half to even. */
export function dividedBy(a: Exact, b: Exact): Exact {
  const power = Math.min(a.power + 18, b.power)
  const numerator = digitsAt({ digits: a.digits, power: a.power + 18 }, power)
  const denominator = digitsAt(b, power)
  const isNegative = numerator < 0n !== denominator < 0n
  const [n, d] = [magnitude(numerator), magnitude(denominator)]
  const down = n / d
  const twiceTheRest = 2n * (n % d)
  const isUp = twiceTheRest > d || (twiceTheRest === d && down % 2n === 1n)
  const rounded = isUp ? down + 1n : down
  return { digits: isNegative ? -rounded : rounded, power: -18 }
}

export function isLess(a: Exact, b: Exact): boolean {
  const power = Math.min(a.power, b.power)
  return digitsAt(a, power) < digitsAt(b, power)
}

export function areEqual(a: Decimal, b: Decimal): boolean {
  return !isLess(exact(a), exact(b)) && !isLess(exact(b), exact(a))
}

/** In normal form. */
export function decimal({ digits, power }: Exact): Decimal {
  if (digits === 0n) return { mantissa: 0, exponent: 0 }
  let mantissa = digits
  let exponent = power
  while (mantissa % 10n === 0n) {
    mantissa /= 10n
    exponent += 1
  }
  const isNarrow = magnitude(mantissa) <= 2n ** 53n - 2n
  return { mantissa: isNarrow ? Number(mantissa) : mantissa, exponent }
}

function digitsAt({ digits, power }: Exact, lower: number): bigint {
  return digits * 10n ** BigInt(power - lower)
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value
}
