import type { CandleQuality, Decimal } from '@tickertape/market-model'
import { negateDecimal, zero } from '@tickertape/market-model'
import { DecimalSum } from './decimal-sum.ts'
import type { CandlePart, CandleWindows } from './rolling-stats-windows.ts'

/** Sums of a span with trades. */
class AmountSums {
  readonly volume = new DecimalSum()
  readonly buyVolume = new DecimalSum()
  readonly quoteVolume = new DecimalSum()
  readonly notionalUsd = new DecimalSum()
}

/**
 * What the windows in [to - span, to) come to, kept by adding what enters and subtracting what
 * leaves: exact, so there is no drift.
 */
export class SlidingSpan {
  readonly spanMs: number
  readonly #windows: CandleWindows
  readonly #windowMs: number
  readonly #known: Record<CandleQuality, number> = {
    gap: 0,
    partial: 0,
    backfilled: 0,
    complete: 0,
    quiet: 0,
  }
  #to: number
  #sums: AmountSums | null = null
  #windowsWithTrades = 0
  #unknownNotionals = 0
  #tradeCount = 0

  /** The windows are those of one interval, and none is set yet. */
  constructor(windows: CandleWindows, windowMs: number, spanMs: number, asOf: number) {
    this.#windows = windows
    this.#windowMs = windowMs
    this.spanMs = spanMs
    this.#to = Math.floor(asOf / windowMs) * windowMs
  }

  get from(): number {
    return this.#to - this.spanMs
  }

  /** The last window end at or before the time that it was slid to. */
  get to(): number {
    return this.#to
  }

  get tradeCount(): number {
    return this.#tradeCount
  }

  get volume(): Decimal {
    return this.#sums?.volume.toDecimal() ?? zero
  }

  get buyVolume(): Decimal {
    return this.#sums?.buyVolume.toDecimal() ?? zero
  }

  get quoteVolume(): Decimal {
    return this.#sums?.quoteVolume.toDecimal() ?? zero
  }

  get notionalUsd(): Decimal | null {
    if (this.#unknownNotionals > 0) return null
    return this.#sums?.notionalUsd.toDecimal() ?? zero
  }

  /** Known windows by quality. */
  get known(): Readonly<Record<CandleQuality, number>> {
    return this.#known
  }

  get isKnown(): boolean {
    const { gap, partial, backfilled, complete, quiet } = this.#known
    return gap + partial + backfilled + complete + quiet > 0
  }

  /** Start of the first window with trades; null without one. */
  firstTraded(): number | null {
    return this.#windows.firstTraded(this.from, this.#to)
  }

  /** End of the last window with trades; null without one. */
  lastTradedEnd(): number | null {
    return this.#windows.lastTradedEnd(this.from, this.#to)
  }

  /** Slides to a later event time. Windows that leave must still be there. */
  slide(asOf: number): void {
    const before = this.#to
    const to = Math.floor(asOf / this.#windowMs) * this.#windowMs
    if (to === before) return
    const oldFrom = this.from
    this.#to = to
    this.#windows.forEach(oldFrom, Math.min(this.from, before), (part) => this.#count(part, -1))
    this.#windows.forEach(Math.max(before, this.from), to, (part) => this.#count(part, 1))
  }

  /** A window holds the next candle instead of the one before, if there was one. */
  replace(windowStart: number, before: CandlePart | undefined, next: CandlePart): void {
    if (windowStart < this.from || windowStart >= this.#to) return
    // First in, then out: a span that never becomes empty keeps its sums.
    this.#count(next, 1)
    if (before !== undefined) this.#count(before, -1)
  }

  #count(part: CandlePart, sign: 1 | -1): void {
    this.#known[part.quality] += sign
    this.#tradeCount += sign * part.tradeCount
    if (part.notionalUsd === null) this.#unknownNotionals += sign
    if (part.tradeCount === 0) return
    this.#windowsWithTrades += sign
    if (this.#windowsWithTrades === 0) {
      // All sums are 0 by now; new ones forget a scale that one odd number left behind.
      this.#sums = null
      return
    }
    this.#sums ??= new AmountSums()
    addTo(this.#sums.volume, part.volume, sign)
    addTo(this.#sums.buyVolume, part.buyVolume, sign)
    addTo(this.#sums.quoteVolume, part.quoteVolume, sign)
    if (part.notionalUsd !== null) addTo(this.#sums.notionalUsd, part.notionalUsd, sign)
  }
}

function addTo(sum: DecimalSum, value: Decimal, sign: 1 | -1): void {
  sum.add(sign === 1 ? value : negateDecimal(value))
}
