import { normalizeDecimal } from '@tickertape/market-model'
import type { Decimal } from '@tickertape/market-model'

import { MarketStoreError } from './errors.ts'

/** Microseconds in PostgreSQL begin here. */
const postgresEpochMs = Date.UTC(2000, 0, 1)
/** The times that JavaScript has. */
const furthestMs = 8.64e15
const word = 2 ** 32

const tenTo = [1, 10, 100, 1_000, 10_000] as const
const hundredMillion = 100_000_000

/** PostgreSQL's numeric has at most so many digits behind the point, and before it far more than these. */
const maxScale = 16_383
const maxTrailingZeros = 100_000

/** Below this many characters a loop is quicker than a call out of JavaScript. */
const shortText = 64

/**
 * Values in the binary format of COPY, one behind the other in memory that grows as it must.
 *
 * https://www.postgresql.org/docs/current/sql-copy.html, and the `…_send` functions of PostgreSQL's types:
 * each value is its length in bytes, -1 for null, and its bytes, all numbers big-endian.
 *
 * @throws MarketStoreError `not_storable` for a number that its column cannot hold.
 */
export class CopyBuffer {
  #bytes: Buffer
  #end = 0

  constructor(initialBytes: number) {
    this.#bytes = Buffer.allocUnsafe(initialBytes)
  }

  /** Where the next value goes. */
  get end(): number {
    return this.#end
  }

  /** Forgets what lies behind. */
  truncate(end: number): void {
    this.#end = end
  }

  /** What is written; it shares memory with this buffer: good until that is truncated. */
  get written(): Buffer {
    return this.#bytes.subarray(0, this.#end)
  }

  beginRow(columns: number): void {
    this.#reserve(2)
    this.#short(columns)
  }

  null(): void {
    this.#reserve(4)
    this.#int(-1)
  }

  boolean(value: boolean): void {
    this.#reserve(5)
    this.#int(1)
    this.#bytes[this.#end] = value ? 1 : 0
    this.#end += 1
  }

  integer(value: number): void {
    // Larger ones would wrap around.
    if ((value | 0) !== value) throw notStorable(`${value} is no integer of 32 bits`)
    this.#reserve(8)
    this.#int(4)
    this.#int(value)
  }

  bigint(value: number): void {
    if (!Number.isSafeInteger(value)) throw notStorable(`${value} is no exact integer`)
    this.#reserve(12)
    this.#int(8)
    this.#long(value)
  }

  /** @param ms since the epoch. */
  time(ms: number): void {
    if (!Number.isInteger(ms) || Math.abs(ms) > furthestMs) {
      throw notStorable(`${ms} ms is no time of a market`)
    }
    const since = ms - postgresEpochMs
    // Microseconds of later centuries are beyond 2^53, so in two words: 1000 * 2^29 = 125 * 2^32.
    const coarse = Math.floor(since / 2 ** 29)
    const fine = (since - coarse * 2 ** 29) * 1_000
    const carried = Math.floor(fine / word)
    this.#reserve(12)
    this.#int(8)
    this.#int(coarse * 125 + carried)
    this.#int(fine - carried * word)
  }

  text(value: string): void {
    // UTF-8 takes at most three bytes for each unit of a string.
    this.#reserve(4 + 3 * value.length)
    const begin = this.#end + 4
    const length =
      value.length <= shortText ? this.#ascii(value, begin) : this.#bytes.write(value, begin)
    this.#int(length)
    this.#end += length
  }

  json(value: unknown): void {
    const text = JSON.stringify(value)
    this.#reserve(5 + 3 * text.length)
    const length = this.#bytes.write(text, this.#end + 5)
    this.#int(length + 1)
    // The version of the format.
    this.#bytes[this.#end] = 1
    this.#end += length + 1
  }

  bytes(value: Uint8Array): void {
    this.#reserve(4 + value.length)
    this.#int(value.length)
    this.#bytes.set(value, this.#end)
    this.#end += value.length
  }

  /**
   * Digits to the base of 10,000, aligned at the point: value = sum of digit[i] * 10000^(weight - i). Shown
   * with as many decimals as `formatDecimal` gives it.
   */
  numeric(value: Decimal): void {
    const { mantissa, exponent } = value
    if (exponent < -maxScale || exponent > maxTrailingZeros) {
      throw notStorable(`A number with the exponent ${exponent} is none of a market`)
    }
    if (typeof mantissa === 'bigint') {
      this.#wideNumeric(value)
      return
    }
    if (mantissa === 0) {
      this.#reserve(12)
      this.#numericHeader(0, 0, false, 0)
      return
    }
    const magnitude = Math.abs(mantissa)
    const low = lowDigits(magnitude)
    if (low % 10 === 0 || !Number.isSafeInteger(mantissa)) {
      this.#wideNumeric(value)
      return
    }
    // exponent = 4 * floor(exponent / 4) + shift
    const shift = exponent & 3
    const width = tenTo[4 - shift] ?? 1
    const lowest = low % width
    const rest = (magnitude - lowest) / width
    const restLow = lowDigits(rest)
    const restHigh = (rest - restLow) / hundredMillion
    const second = restLow % 10_000
    const third = (restLow - second) / 10_000
    const fourth = restHigh % 10_000
    const fifth = (restHigh - fourth) / 10_000
    const digits = fifth > 0 ? 5 : fourth > 0 ? 4 : third > 0 ? 3 : second > 0 ? 2 : 1
    this.#reserve(22)
    this.#numericHeader(digits, (exponent >> 2) + digits - 1, mantissa < 0, exponent)
    if (digits > 4) this.#short(fifth)
    if (digits > 3) this.#short(fourth)
    if (digits > 2) this.#short(third)
    if (digits > 1) this.#short(second)
    this.#short(lowest * (tenTo[shift] ?? 1))
  }

  /** Any number of digits, by way of their text. */
  #wideNumeric(value: Decimal): void {
    const { mantissa, exponent } = normalizeDecimal(value)
    if (mantissa === 0) {
      this.numeric({ mantissa: 0, exponent: 0 })
      return
    }
    const isNegative = mantissa < 0
    const text = `${isNegative ? -mantissa : mantissa}${'0'.repeat(exponent & 3)}`
    const digits = Math.ceil(text.length / 4)
    this.#reserve(12 + 2 * digits)
    this.#numericHeader(digits, (exponent >> 2) + digits - 1, isNegative, exponent)
    const first = text.length - 4 * (digits - 1)
    this.#short(Number(text.slice(0, first)))
    for (let at = first; at < text.length; at += 4) this.#short(Number(text.slice(at, at + 4)))
  }

  #numericHeader(digits: number, weight: number, isNegative: boolean, exponent: number): void {
    this.#int(8 + 2 * digits)
    this.#short(digits)
    this.#short(weight)
    this.#short(isNegative ? 0x4000 : 0)
    this.#short(exponent < 0 ? -exponent : 0)
  }

  /** @returns the length in bytes of what is written at `begin`. */
  #ascii(value: string, begin: number): number {
    const bytes = this.#bytes
    for (let at = 0; at < value.length; at += 1) {
      const unit = value.charCodeAt(at)
      if (unit > 127) return bytes.write(value, begin)
      bytes[begin + at] = unit
    }
    return value.length
  }

  #short(value: number): void {
    const at = this.#end
    this.#bytes[at] = value >> 8
    this.#bytes[at + 1] = value
    this.#end = at + 2
  }

  #int(value: number): void {
    const bytes = this.#bytes
    const at = this.#end
    bytes[at] = value >> 24
    bytes[at + 1] = value >> 16
    bytes[at + 2] = value >> 8
    bytes[at + 3] = value
    this.#end = at + 4
  }

  #long(value: number): void {
    const high = Math.floor(value / word)
    this.#int(high)
    this.#int(value - high * word)
  }

  #reserve(length: number): void {
    const needed = this.#end + length
    if (needed > this.#bytes.length) this.#grow(needed)
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length))
    larger.set(this.#bytes.subarray(0, this.#end))
    this.#bytes = larger
  }
}

/**
 * The last eight decimal digits of an integer below 2^53: operations on integers of 32 bits are quicker.
 *
 * The quotient is never rounded up to an integer: it lies 1e-8 below it at least, and doubles up to 2^27
 * are closer than that.
 */
function lowDigits(value: number): number {
  if (value < hundredMillion) return value
  return value - Math.floor(value / hundredMillion) * hundredMillion
}

function notStorable(message: string): MarketStoreError {
  return new MarketStoreError('not_storable', message)
}
