import type { OffsetRange } from '@tickertape/market-model'
import type { CountedTrade } from './counted-trade.ts'
import type { InstrumentProgress } from './instrument-progress.ts'
import { isSameTrade } from './counted-trade.ts'
import { mergeRanges, nearbyOffsets } from './offset-ranges.ts'
import { SequenceSet } from './sequence-set.ts'
import { TradeSums } from './trade-sums.ts'

/** A window of the lowest interval that takes trades in memory: the log has them, the changelog does not. */
export class OpenWindow {
  readonly instrument: InstrumentProgress
  readonly start: number
  readonly end: number
  /** Offset of the first record in it: where a restore must begin to read. */
  readonly firstOffset: number
  /** Known versions of its trades, those that do not count included, in the order of arrival. */
  readonly trades: CountedTrade[] = []
  /** How many of its trades the last candle in progress had. */
  shownTrades = 0
  /** Quantities are amounts of quote currency: as was known when it opened. */
  readonly inverse: boolean
  readonly #ranges: OffsetRange[] = []
  #from: number
  #to: number
  #sums: TradeSums | undefined
  #summed = 0

  constructor(instrument: InstrumentProgress, start: number, end: number, offset: number) {
    this.instrument = instrument
    this.start = start
    this.end = end
    this.firstOffset = offset
    this.inverse = instrument.isInverse
    this.#from = offset
    this.#to = offset
  }

  /** Where its records are. */
  get offsets(): readonly OffsetRange[] {
    return mergeRanges([...this.#ranges, { from: this.#from, to: this.#to }])
  }

  add(trade: CountedTrade, offset: number): void {
    const step = offset - this.#to
    // A rebuild takes what came late before all else.
    if (step < 0 || step > nearbyOffsets) {
      this.#ranges.push({ from: this.#from, to: this.#to })
      this.#from = offset
    }
    this.#to = offset
    this.trades.push(trade)
  }

  find(trade: CountedTrade): CountedTrade | undefined {
    const { trades } = this
    // Sequences nearly always arrive in order: look where this one would be.
    const first = trades[0]
    if (trade.sequence !== null && first !== undefined && first.sequence !== null) {
      const guess = trades[trade.sequence - first.sequence]
      if (guess !== undefined && guess.sequence === trade.sequence) return guess
    }
    return trades.find((other) => isSameTrade(other, trade))
  }

  /** Takes a trade out, for a higher version of it. */
  remove(trade: CountedTrade): void {
    this.trades.splice(this.trades.indexOf(trade), 1)
    this.#sums = undefined
    this.#summed = 0
  }

  /** What its confirmed trades come to. */
  sums(): TradeSums {
    this.#sums ??= new TradeSums(this.inverse)
    for (; this.#summed < this.trades.length; this.#summed += 1) {
      const trade = this.trades[this.#summed]
      if (trade?.status === 'confirmed') this.#sums.add(trade)
    }
    return this.#sums
  }

  sequences(): SequenceSet {
    const sequences = new SequenceSet()
    for (const { sequence } of this.trades) if (sequence !== null) sequences.add(sequence)
    return sequences
  }

  /** Ids of its trades without sequences, in the order of arrival. */
  tradeIds(): string[] {
    return this.trades.flatMap(({ sequence, tradeId }) => (sequence === null ? [tradeId] : []))
  }
}
