import type { Decimal } from '@tickertape/market-model'
import { normalizeDecimal } from '@tickertape/market-model'

/** 10^0 … 10^22: the powers of ten that a double holds exactly. */
const powersOfTen = Array.from({ length: 23 }, (_, power) => Number(`1e${power}`))

/**
 * An exact sum that grows in place: no allocation for each addend, and bigint only for what does
 * not fit 2^53.
 */
export class DecimalSum {
  // The sum is (narrow + wide) * 10^exponent.
  #narrow = 0
  #wide = 0n
  #exponent = 0

  add(value: Decimal): void {
    const { mantissa, exponent } = value
    if (typeof mantissa === 'number') this.#addNarrow(mantissa, exponent)
    else this.#addWide(mantissa, exponent)
  }

  addProduct(a: Decimal, b: Decimal): void {
    const left = a.mantissa
    const right = b.mantissa
    const exponent = a.exponent + b.exponent
    if (typeof left === 'number' && typeof right === 'number') {
      const product = left * right
      // A product beyond 2^53 never rounds into the safe range, so this test is exact.
      if (isSafe(product)) {
        this.#addNarrow(product, exponent)
        return
      }
    }
    this.#addWide(BigInt(left) * BigInt(right), exponent)
  }

  /** The sum in normal form. */
  toDecimal(): Decimal {
    const mantissa = this.#wide === 0n ? this.#narrow : this.#wide + BigInt(this.#narrow)
    return normalizeDecimal({ mantissa, exponent: this.#exponent })
  }

  #addNarrow(mantissa: number, exponent: number): void {
    let part = mantissa
    if (exponent !== this.#exponent) {
      if (mantissa === 0) return
      if (exponent < this.#exponent) this.#lowerTo(exponent)
      part = mantissa * (powersOfTen[exponent - this.#exponent] ?? Infinity)
      if (!isSafe(part)) {
        this.#addWide(BigInt(mantissa), exponent)
        return
      }
    }
    const sum = this.#narrow + part
    if (isSafe(sum)) this.#narrow = sum
    else {
      this.#wide += BigInt(this.#narrow)
      this.#narrow = part
    }
  }

  #addWide(mantissa: bigint, exponent: number): void {
    if (exponent < this.#exponent) this.#lowerTo(exponent)
    this.#wide += mantissa * 10n ** BigInt(exponent - this.#exponent)
  }

  #lowerTo(exponent: number): void {
    const shift = this.#exponent - exponent
    const lowered = this.#narrow === 0 ? 0 : this.#narrow * (powersOfTen[shift] ?? Infinity)
    if (this.#wide !== 0n || !isSafe(lowered)) {
      this.#wide = (this.#wide + BigInt(this.#narrow)) * 10n ** BigInt(shift)
      this.#narrow = 0
    } else {
      this.#narrow = lowered
    }
    this.#exponent = exponent
  }
}

function isSafe(value: number): boolean {
  return value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER
}
