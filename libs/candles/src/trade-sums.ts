import type { Decimal, TradeOrder, WindowSums } from '@tickertape/market-model'
import type { CountedTrade } from './counted-trade.ts'
import {
  addDecimals,
  compareDecimals,
  divideDecimals,
  normalizeDecimal,
  zero,
} from '@tickertape/market-model'
import { DecimalSum } from './decimal-sum.ts'
import { isBefore, orderOf } from './trade-order.ts'

/** Decimals of a base amount that an inverse contract's trade comes to, and of every vwap. */
export const quotientScale = 18

/** What trades of a window of the lowest interval come to, added one by one. */
export class TradeSums {
  readonly #inverse: boolean
  #first: CountedTrade | undefined
  #last: CountedTrade | undefined
  #high: Decimal = zero
  #low: Decimal = zero
  readonly #volume = new DecimalSum()
  readonly #buyVolume = new DecimalSum()
  readonly #quoteVolume = new DecimalSum()
  /** undefined once a part is unknown. */
  #notionalUsd: DecimalSum | undefined = new DecimalSum()
  #tradeCount = 0
  #firstSequence: number | null = null
  #lastSequence: number | null = null

  /** @param inverse quantities are amounts of quote currency. */
  constructor(inverse: boolean) {
    this.#inverse = inverse
  }

  get openOrder(): TradeOrder | null {
    return this.#first === undefined ? null : orderOf(this.#first)
  }

  get closeOrder(): TradeOrder | null {
    return this.#last === undefined ? null : orderOf(this.#last)
  }

  add(trade: CountedTrade): void {
    const { price, quantity, sequence, notionalUsd } = trade
    if (this.#first === undefined || this.#last === undefined) {
      this.#first = trade
      this.#last = trade
      this.#high = price
      this.#low = price
    } else {
      if (isBefore(trade, this.#first)) this.#first = trade
      else if (isBefore(this.#last, trade)) this.#last = trade
      if (compareDecimals(price, this.#high) > 0) this.#high = price
      else if (compareDecimals(price, this.#low) < 0) this.#low = price
    }
    this.#volume.add(quantity)
    if (trade.takerSide === 'buy') this.#buyVolume.add(quantity)
    if (this.#inverse) this.#quoteVolume.add(baseAmount(trade))
    else this.#quoteVolume.addProduct(price, quantity)
    if (notionalUsd === null) this.#notionalUsd = undefined
    else if (this.#notionalUsd !== undefined) this.#notionalUsd.add(notionalUsd)
    this.#tradeCount += 1
    if (sequence === null) return
    if (this.#firstSequence === null || sequence < this.#firstSequence) {
      this.#firstSequence = sequence
    }
    if (this.#lastSequence === null || sequence > this.#lastSequence) this.#lastSequence = sequence
  }

  /** Of quality complete, or quiet without trades. */
  toWindowSums(windowStart: number): WindowSums {
    if (this.#first === undefined || this.#last === undefined) return flatSums(windowStart, zero)
    return {
      windowStart,
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

/** A window of the lowest interval without its trades. */
export interface OrderedSums {
  readonly sums: WindowSums
  readonly openOrder: TradeOrder | null
  readonly closeOrder: TradeOrder | null
}

/** One more trade in a window whose other trades are not at hand. */
export function withTrade(window: OrderedSums, trade: CountedTrade, inverse: boolean): OrderedSums {
  const { sums, openOrder, closeOrder } = window
  const only = new TradeSums(inverse)
  only.add(trade)
  const own = only.toWindowSums(sums.windowStart)
  const order = orderOf(trade)
  if (openOrder === null || closeOrder === null) {
    return { sums: { ...own, quality: sums.quality }, openOrder: order, closeOrder: order }
  }
  const opens = isBefore(order, openOrder)
  const closes = isBefore(closeOrder, order)
  const added = addSums(sums, own)
  return {
    sums: {
      ...added,
      open: opens ? own.open : sums.open,
      close: closes ? own.close : sums.close,
      quality: sums.quality,
    },
    openOrder: opens ? order : openOrder,
    closeOrder: closes ? order : closeOrder,
  }
}

/** Two parts of a window with trades, the first of which opens it and the second of which closes it. */
export function addSums(a: WindowSums, b: WindowSums): WindowSums {
  return {
    windowStart: a.windowStart,
    open: a.open,
    high: compareDecimals(b.high, a.high) > 0 ? b.high : a.high,
    low: compareDecimals(b.low, a.low) < 0 ? b.low : a.low,
    close: b.close,
    volume: add(a.volume, b.volume),
    buyVolume: add(a.buyVolume, b.buyVolume),
    quoteVolume: add(a.quoteVolume, b.quoteVolume),
    notionalUsd:
      a.notionalUsd === null || b.notionalUsd === null ? null : add(a.notionalUsd, b.notionalUsd),
    tradeCount: a.tradeCount + b.tradeCount,
    firstSequence: bounded(Math.min, a.firstSequence, b.firstSequence),
    lastSequence: bounded(Math.max, a.lastSequence, b.lastSequence),
    quality: a.quality,
  }
}

/** A window without trades, at one price. */
export function flatSums(windowStart: number, price: Decimal): WindowSums {
  return {
    windowStart,
    open: price,
    high: price,
    low: price,
    close: price,
    volume: zero,
    buyVolume: zero,
    quoteVolume: zero,
    notionalUsd: zero,
    tradeCount: 0,
    firstSequence: null,
    lastSequence: null,
    quality: 'quiet',
  }
}

/** Whether two candles' numbers and qualities are the same, digit by digit. */
export function equalSums(a: WindowSums, b: WindowSums): boolean {
  return (
    a.tradeCount === b.tradeCount &&
    a.quality === b.quality &&
    a.firstSequence === b.firstSequence &&
    a.lastSequence === b.lastSequence &&
    equal(a.open, b.open) &&
    equal(a.high, b.high) &&
    equal(a.low, b.low) &&
    equal(a.close, b.close) &&
    equal(a.volume, b.volume) &&
    equal(a.buyVolume, b.buyVolume) &&
    equal(a.quoteVolume, b.quoteVolume) &&
    equal(a.notionalUsd, b.notionalUsd)
  )
}

/** In normal form equal values have equal parts. */
function equal(a: Decimal | null, b: Decimal | null): boolean {
  if (a === null || b === null) return a === b
  return a.mantissa === b.mantissa && a.exponent === b.exponent
}

/** What an inverse contract's trade moves of the base. A price below zero is no inverse contract's. */
function baseAmount({ price, quantity }: CountedTrade): Decimal {
  return price.mantissa === 0 ? zero : divideDecimals(quantity, price, quotientScale)
}

function add(a: Decimal, b: Decimal): Decimal {
  return normalizeDecimal(addDecimals(a, b))
}

function bounded(
  choose: (a: number, b: number) => number,
  a: number | null,
  b: number | null,
): number | null {
  if (a === null) return b
  return b === null ? a : choose(a, b)
}
