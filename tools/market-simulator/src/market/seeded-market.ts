import type { Instrument, Venue } from './instrument.ts'
import type { HistoryPage, HistoryQuery, Market, SeededTrade } from './market.ts'
import { fixedPoint } from './number-text.ts'
import {
  blockMs,
  computeBlock,
  firstBlockTime,
  priceLevel,
  type TradeBlock,
} from './trade-block.ts'

export interface SeededMarketOptions {
  readonly venue: Venue
  readonly instruments: readonly Instrument[]
  readonly seed: string
  /** Scales every instrument's trades a minute; each keeps at least one. */
  readonly rate?: number | undefined
  /** Venue time of the last possible trade, milliseconds since the epoch. */
  readonly endTime?: number | undefined
}

/** More than the blocks that subscribers and one reader of history look at together. */
const cachedBlocks = 4

/** Looking further back for a tick's direction would cost more than the flag is worth. */
const tickLookback = 16

interface Listing {
  readonly instrument: Instrument
  readonly identity: string
  readonly tradesPerBlock: number
  readonly level: (time: number) => number
  readonly blocks: Map<number, TradeBlock>
}

/**
 * A random market that is a pure function of seed, instrument and time.
 *
 * Every block of 60 s holds the same number of trades, so the i-th trade of block b always has the
 * sequence b * tradesPerBlock + i + 1. Nothing is stored: any stretch of history is computed when it
 * is asked for, also after a restart. The blocks kept here only save work.
 */
export class SeededMarket implements Market {
  readonly venue: Venue
  readonly instruments: readonly Instrument[]
  readonly endTime: number | undefined
  readonly #seed: string
  readonly #listings: ReadonlyMap<string, Listing>

  constructor(options: SeededMarketOptions) {
    this.venue = options.venue
    this.instruments = options.instruments.filter((each) => each.venue === options.venue)
    this.endTime = options.endTime
    this.#seed = options.seed
    this.#listings = new Map(
      this.instruments.map((instrument) => [instrument.name, list(instrument, options)]),
    )
  }

  /**
   * The trade with this sequence.
   *
   * @throws RangeError if there is no such instrument, or the sequence is not a positive integer.
   */
  trade(instrument: string, sequence: number): SeededTrade {
    if (!Number.isSafeInteger(sequence) || sequence < 1) {
      throw new RangeError(`${instrument} has no trade ${sequence}: sequences are integers from 1`)
    }
    const listing = this.#listing(instrument)
    const place = (sequence - 1) % listing.tradesPerBlock
    const block = this.#block(listing, Math.floor((sequence - 1) / listing.tradesPerBlock))
    const {
      lotUnits,
      priceDecimals,
      priceShift = 0,
      quantityDecimals,
      tickUnits,
    } = listing.instrument
    const eventTime = block.startTime + (block.offsets[place] ?? 0)
    const lots = block.lots[place] ?? 0
    const level = listing.level(eventTime)
    return {
      origin: 'seeded',
      instrument,
      sequence,
      tradeId: listing.instrument.tradeId?.(sequence) ?? String(sequence),
      eventTime,
      price: fixedPoint((block.ticks[place] ?? 0) * tickUnits - priceShift, priceDecimals),
      quantity: fixedPoint(lots * lotUnits, quantityDecimals),
      takerSide: block.buys[place] === 1 ? 'buy' : 'sell',
      markPrice: fixedPoint(Math.round(level * 100), 2),
      indexPrice: fixedPoint(Math.round(level * 99.98), 2),
      tickDirection: this.#tickDirection(listing, sequence),
      contracts: String(lots),
      place,
    }
  }

  nextSequence(instrument: string, now: number): number {
    return this.#firstSequenceAfter(
      this.#listing(instrument),
      Math.min(now, this.endTime ?? Infinity),
    )
  }

  /** The sequence of the first trade at or after a time, whether or not trading ends before. */
  sequenceAt(instrument: string, time: number): number {
    return this.#firstSequenceAfter(this.#listing(instrument), Math.ceil(time) - 1)
  }

  history(query: HistoryQuery): HistoryPage {
    const { instrument } = query
    const listing = this.#listing(instrument)
    let first = Math.max(1, query.fromSequence ?? 1)
    let last = query.toSequence ?? Infinity
    if (query.fromTime !== undefined) {
      first = Math.max(first, this.sequenceAt(instrument, query.fromTime))
    }
    const lastTime = Math.min(query.toTime ?? Infinity, query.publishedBy, this.endTime ?? Infinity)
    if (lastTime !== Infinity) {
      last = Math.min(last, this.#firstSequenceAfter(listing, lastTime) - 1)
    }
    if (last === Infinity && query.newestFirst) {
      throw new RangeError(`${instrument} has no newest trade: the market has no end`)
    }
    const trades: SeededTrade[] = []
    if (query.newestFirst) {
      for (let next = last; next >= first && trades.length < query.limit; next -= 1) {
        trades.push(this.trade(instrument, next))
      }
    } else {
      for (let next = first; next <= last && trades.length < query.limit; next += 1) {
        trades.push(this.trade(instrument, next))
      }
    }
    return { trades, hasMore: last - first + 1 > trades.length }
  }

  #listing(instrument: string): Listing {
    const listing = this.#listings.get(instrument)
    if (listing === undefined) {
      const names = [...this.#listings.keys()].join(', ')
      throw new RangeError(`The simulated ${this.venue} has no ${instrument}; it has ${names}`)
    }
    return listing
  }

  #firstSequenceAfter(listing: Listing, time: number): number {
    if (time < firstBlockTime) return 1
    const index = Math.floor((time - firstBlockTime) / blockMs)
    const { offsets, startTime } = this.#block(listing, index)
    const offset = time - startTime
    let low = 0
    let high = offsets.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((offsets[middle] ?? 0) <= offset) low = middle + 1
      else high = middle
    }
    return index * listing.tradesPerBlock + low + 1
  }

  #tickDirection(listing: Listing, sequence: number): 0 | 1 | 2 | 3 {
    const ticks = this.#ticks(listing, sequence)
    for (let back = 1; back <= tickLookback && back < sequence; back += 1) {
      const earlier = this.#ticks(listing, sequence - back)
      if (ticks > earlier) return back === 1 ? 0 : 1
      if (ticks < earlier) return back === 1 ? 2 : 3
    }
    return 1
  }

  #ticks(listing: Listing, sequence: number): number {
    const block = this.#block(listing, Math.floor((sequence - 1) / listing.tradesPerBlock))
    return block.ticks[(sequence - 1) % listing.tradesPerBlock] ?? 0
  }

  #block(listing: Listing, index: number): TradeBlock {
    const cached = listing.blocks.get(index)
    if (cached !== undefined) return cached
    const block = computeBlock(this.#seed, listing.instrument, listing.tradesPerBlock, index)
    if (listing.blocks.size >= cachedBlocks) {
      const [oldest] = listing.blocks.keys()
      if (oldest !== undefined) listing.blocks.delete(oldest)
    }
    listing.blocks.set(index, block)
    return block
  }
}

/** The trades with fromTime <= eventTime < toTime, in order. Times are milliseconds since the epoch. */
export function tradesBetween(
  market: SeededMarket,
  instrument: string,
  fromTime: number,
  toTime: number,
): readonly SeededTrade[] {
  const first = market.sequenceAt(instrument, fromTime)
  const end = Math.min(
    market.sequenceAt(instrument, toTime),
    market.nextSequence(instrument, toTime),
  )
  const trades: SeededTrade[] = []
  for (let sequence = first; sequence < end; sequence += 1) {
    trades.push(market.trade(instrument, sequence))
  }
  return trades
}

/** The trade with this sequence; see {@link SeededMarket.trade} for what it throws. */
export function tradeBySequence(
  market: SeededMarket,
  instrument: string,
  sequence: number,
): SeededTrade {
  return market.trade(instrument, sequence)
}

function list(instrument: Instrument, options: SeededMarketOptions): Listing {
  const scaled = Math.round(instrument.tradesPerMinute * (options.rate ?? 1))
  const identity = `${options.seed}/${instrument.venue}:${instrument.name}`
  return {
    instrument,
    identity,
    tradesPerBlock: Math.max(1, scaled),
    level: priceLevel(identity, instrument.basePrice),
    blocks: new Map(),
  }
}
