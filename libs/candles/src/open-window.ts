import type { Decimal, Trade, WindowSums } from '@tickertape/market-model'
import type { InstrumentProgress } from './instrument-progress.ts'
import { compareDecimals, normalizeDecimal } from '@tickertape/market-model'
import { DecimalSum } from './decimal-sum.ts'
import { SequenceSet } from './sequence-set.ts'
import { isBefore } from './trade-order.ts'

/** A window of the lowest interval that still takes trades. */
export class OpenWindow {
  readonly instrument: InstrumentProgress
  readonly start: number
  readonly end: number
  /** Offset of the first trade in it: where a restore must begin to read. */
  readonly firstOffset: number
  readonly sequences = new SequenceSet()
  /** Ids of its trades without sequences. */
  tradeIds: Set<string> | undefined
  #first: Trade
  #last: Trade
  #high: Decimal
  #low: Decimal
  #volume = new DecimalSum()
  #buyVolume = new DecimalSum()
  #quoteVolume = new DecimalSum()
  /** undefined once a part is unknown. */
  #notionalUsd: DecimalSum | undefined = new DecimalSum()
  #tradeCount = 0
  #firstSequence: number | null = null
  #lastSequence: number | null = null

  /** Opens with a trade, which `add` must still count. */
  constructor(
    instrument: InstrumentProgress,
    start: number,
    end: number,
    first: Trade,
    offset: number,
  ) {
    this.instrument = instrument
    this.start = start
    this.end = end
    this.firstOffset = offset
    this.#first = first
    this.#last = first
    this.#high = first.price
    this.#low = first.price
  }

  get lastTradeAt(): number {
    return this.#last.eventTime
  }

  get firstTradeAt(): number {
    return this.#first.eventTime
  }

  add(trade: Trade): void {
    const { price, quantity, sequence, notionalUsd } = trade
    if (isBefore(trade, this.#first)) this.#first = trade
    else if (isBefore(this.#last, trade)) this.#last = trade
    if (compareDecimals(price, this.#high) > 0) this.#high = price
    else if (compareDecimals(price, this.#low) < 0) this.#low = price

    this.#volume.add(quantity)
    if (trade.takerSide === 'buy') this.#buyVolume.add(quantity)
    this.#quoteVolume.addProduct(price, quantity)
    if (notionalUsd === null) this.#notionalUsd = undefined
    else if (this.#notionalUsd !== undefined) this.#notionalUsd.add(notionalUsd)
    this.#tradeCount += 1

    if (sequence === null) {
      this.tradeIds ??= new Set()
      this.tradeIds.add(trade.tradeId)
      return
    }
    this.sequences.add(sequence)
    if (this.#firstSequence === null || sequence < this.#firstSequence) {
      this.#firstSequence = sequence
    }
    if (this.#lastSequence === null || sequence > this.#lastSequence) this.#lastSequence = sequence
  }

  /** What its trades come to; of quality complete. */
  sums(): WindowSums {
    return {
      windowStart: this.start,
      open: normalizeDecimal(this.#first.price),
      high: normalizeDecimal(this.#high),
      low: normalizeDecimal(this.#low),
      close: normalizeDecimal(this.#last.price),
      volume: this.#volume.toDecimal(),
      buyVolume: this.#buyVolume.toDecimal(),
      quoteVolume: this.#quoteVolume.toDecimal(),
      notionalUsd: this.#notionalUsd === undefined ? null : this.#notionalUsd.toDecimal(),
      tradeCount: this.#tradeCount,
      firstSequence: this.#firstSequence,
      lastSequence: this.#lastSequence,
      quality: 'complete',
    }
  }
}
