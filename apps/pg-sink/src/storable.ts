import type { Decimal } from '@tickertape/market-model'

/** PostgreSQL's numeric takes 16,383 digits after the point; far below it already is no number of a market. */
const maxExponent = 2_000
const maxMantissa = 10n ** 1_000n

/** Years 1 to 9999, where ISO 8601 has four digits. */
const minTime = Date.parse('0001-01-01T00:00:00Z')
const maxTime = Date.parse('9999-12-31T00:00:00Z')

/** An entry of an index may have 2,704 bytes; a key here has at most three texts of 3 bytes a unit. */
const maxKeyLength = 200

/**
 * Why PostgreSQL would refuse a decoded record: one such row would fail its whole batch, at every try.
 *
 * @param times names of the fields that hold ms since the epoch.
 * @param keys names of the texts that end in an index.
 * @returns a sentence for a person, or undefined if there is nothing against the record.
 */
export function whyNotStorable(
  record: object,
  times: readonly string[],
  keys: readonly string[],
): string | undefined {
  for (const [name, value] of Object.entries(record)) {
    if (typeof value === 'string') {
      if (value.includes('\0')) return `${name} has a zero byte`
      if (keys.includes(name) && value.length > maxKeyLength) {
        return `${name} has ${value.length} characters, more than ${maxKeyLength}`
      }
    } else if (typeof value === 'number') {
      if (times.includes(name) && !(value >= minTime && value <= maxTime)) {
        return `${name} is ${value} ms, beyond the years 1 to 9999`
      }
    } else if (isDecimal(value) && !fitsNumeric(value)) {
      return `${name} has more digits than a number of a market`
    }
  }
  return undefined
}

function isDecimal(value: unknown): value is Decimal {
  return typeof value === 'object' && value !== null && 'mantissa' in value && 'exponent' in value
}

function fitsNumeric({ mantissa, exponent }: Decimal): boolean {
  if (Math.abs(exponent) > maxExponent) return false
  return typeof mantissa === 'number' || (mantissa < maxMantissa && mantissa > -maxMantissa)
}
