import type { InstrumentTerms } from '@tickertape/candles'
import type { InstrumentSummary } from '@tickertape/market-api'
import {
  compareDecimals,
  decimalToNumber,
  formatDecimal,
  intervals,
} from '@tickertape/market-model'
import type { Candle, Decimal, InstrumentStatus, Interval, Trade } from '@tickertape/market-model'

import type { EncodedCandle, EncodedTrade } from '../market-view.ts'
import type { TextBudget } from './candle-texts.ts'
import { DayPrices } from './day-prices.ts'
import { HeldCandles } from './held-candles.ts'
import type { StatsBoard } from './stats-board.ts'
import { TradeTape } from './trade-tape.ts'

export interface InstrumentLimits {
  /** Most closed candles that are held of each interval. */
  readonly candles: number
  /** Most trades that are held. */
  readonly trades: number
  /** How many of the latest trades are known again at least. */
  readonly tradeIdentities: number
}

interface LastPrice {
  readonly price: Decimal
  /** undefined: it is no trade's. */
  readonly eventTime?: number
}

/** A summary, and what it was made of. */
interface MadeSummary {
  /** As the board of statistics counts them. */
  readonly minutes: number
  readonly last: LastPrice | undefined
  readonly summary: InstrumentSummary | null
}

export interface InstrumentDescription extends InstrumentTerms {
  readonly feedId: string
}

/** What is held of one instrument. */
export class InstrumentMemory {
  readonly instrumentId: string
  terms: InstrumentTerms | undefined
  feedId: string | undefined
  readonly #limits: InstrumentLimits
  readonly #texts: TextBudget
  #candles: Partial<Record<Interval, HeldCandles>> = {}
  #tape: TradeTape
  #prices = new DayPrices()
  /** Windows before this are not held, of no interval. */
  #heldFrom: number
  /** Next offset behind the candles that were let go with it, and behind all that were applied. */
  #releasedTo = 0
  #appliedTo = 0
  #lastWindowEnd = -Infinity
  /** The latest price of any candle: where no trade is held. */
  #lastClose: Decimal | undefined
  /** undefined: something that it is made of has changed since. */
  #made: MadeSummary | undefined

  /** @param heldFrom 0 where all candles that there are have been or will be applied. */
  constructor(instrumentId: string, limits: InstrumentLimits, texts: TextBudget, heldFrom: number) {
    this.instrumentId = instrumentId
    this.#limits = limits
    this.#texts = texts
    this.#heldFrom = heldFrom
    this.#tape = this.#newTape()
  }

  /** What a description leaves out stays as it was. */
  describe(described: InstrumentDescription | InstrumentStatus): void {
    this.feedId = described.feedId
    this.terms = {
      base: described.base ?? this.terms?.base ?? null,
      quote: described.quote ?? this.terms?.quote ?? null,
      quantityUnit: described.quantityUnit ?? this.terms?.quantityUnit ?? null,
    }
  }

  /** @param next offset of `candles` behind its record; 0: it is from the database, or of an open window. */
  applyCandle(candle: Candle, interval: Interval, next: number): EncodedCandle | undefined {
    const held = (this.#candles[interval] ??= new HeldCandles(this.instrumentId, interval, {
      depth: this.#limits.candles,
      heldFrom: this.#heldFrom,
      releasedTo: this.#releasedTo,
      texts: this.#texts,
    }))
    const encoded = held.apply(candle, next)
    this.#appliedTo = Math.max(this.#appliedTo, next)
    if (encoded === undefined) return undefined
    if (interval === '1m' && candle.final) this.applyMinute(candle)
    if (candle.windowEnd >= this.#lastWindowEnd) {
      this.#lastWindowEnd = candle.windowEnd
      this.#lastClose = candle.close
    }
    return encoded
  }

  /** A 1m candle that statistics are made of, and that may be further back than candles are held. */
  applyMinute(candle: Candle): void {
    this.#made = undefined
    this.#prices.set(candle)
  }

  applyTrade(trade: Trade, now: number): EncodedTrade | undefined {
    this.feedId ??= trade.feedId
    return this.#tape.apply(trade, now)
  }

  /** Knows a trade again that is not held. */
  knowTrade(tradeId: string, version: number): void {
    this.#tape.know(tradeId, version)
  }

  candles(interval: Interval, count: number): readonly EncodedCandle[] {
    return this.#candles[interval]?.latest(count) ?? []
  }

  heldFrom(interval: Interval): number | undefined {
    return this.#candles[interval]?.heldFrom
  }

  releasedTo(interval: Interval): number {
    return this.#candles[interval]?.releasedTo ?? this.#releasedTo
  }

  trades(count: number, now: number): readonly EncodedTrade[] {
    return this.#tape.latest(count, now)
  }

  /** Lets go of what is held of an instrument without a candle for a day: there may be any number of them. */
  forgetIfDormant(before: number): void {
    const isHeld = intervals.some((interval) => this.#candles[interval] !== undefined)
    if (!isHeld || this.#lastWindowEnd > before) return
    this.#candles = {}
    this.#tape = this.#newTape()
    this.#prices = new DayPrices()
    this.#heldFrom = before
    this.#releasedTo = this.#appliedTo
    this.#lastClose = undefined
    this.#made = undefined
  }

  /** Made once for each minute and last price: a day of minutes is added up for it. */
  summary(stats: StatsBoard): InstrumentSummary | null {
    const { minutes } = stats
    const last =
      this.#tape.lastPrice() ??
      (this.#lastClose === undefined ? undefined : { price: this.#lastClose })
    const made = this.#made
    if (made?.minutes === minutes && isSamePrice(made.last, last)) return made.summary
    const summary = this.#makeSummary(stats, last)
    this.#made = { minutes, last, summary }
    return summary
  }

  #makeSummary(stats: StatsBoard, lastPrice: LastPrice | undefined): InstrumentSummary | null {
    const day = stats.instrument(this.instrumentId, '24h')
    const prices = this.#prices.read(stats.asOf)
    const last = lastPrice?.price ?? prices?.hourlyCloses.at(-1)
    if (day === undefined || prices === undefined || last === undefined) return null
    const open = decimalToNumber(prices.open)
    // Of prices at or below zero, which combos have, a quotient says nothing.
    const change = open > 0 ? decimalToNumber(last) / open - 1 : null
    return {
      lastPrice: formatDecimal(last),
      lastTradeTime: lastPrice?.eventTime ?? null,
      open24h: formatDecimal(prices.open),
      high24h: formatDecimal(compareDecimals(last, prices.high) > 0 ? last : prices.high),
      low24h: formatDecimal(compareDecimals(last, prices.low) < 0 ? last : prices.low),
      change24h: change,
      volume24h: formatDecimal(day.volume),
      notionalUsd24h: day.notionalUsd === null ? null : formatDecimal(day.notionalUsd),
      tradeCount24h: day.tradeCount,
      quality: day.quality,
      sparkline: prices.hourlyCloses.map(formatDecimal),
    }
  }

  #newTape(): TradeTape {
    return new TradeTape(this.instrumentId, this.#limits.trades, this.#limits.tradeIdentities)
  }
}

function isSamePrice(a: LastPrice | undefined, b: LastPrice | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return a.eventTime === b.eventTime && compareDecimals(a.price, b.price) === 0
}
