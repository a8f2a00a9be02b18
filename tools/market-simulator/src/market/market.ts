import type { Instrument, Venue } from './instrument.ts'

interface TradeFacts {
  /** The venue's own symbol. */
  readonly instrument: string
  /** Contiguous for each instrument, from 1. */
  readonly sequence: number
  readonly tradeId: string
  /** Milliseconds since the epoch, the venue's clock. */
  readonly eventTime: number
  /** Plain digits. */
  readonly price: string
  /** Plain digits; for an inverse contract an amount of the quote currency. */
  readonly quantity: string
  readonly takerSide: 'buy' | 'sell'
  /** Both absent where the venue tells of a trade once; see versioned-market.ts. */
  readonly version?: number
  readonly status?: 'confirmed' | 'pending' | 'cancelled'
}

export interface SeededTrade extends TradeFacts {
  readonly origin: 'seeded'
  readonly markPrice: string
  readonly indexPrice: string
  /** Deribit's code: 0 plus, 1 zero-plus, 2 minus, 3 zero-minus tick. */
  readonly tickDirection: 0 | 1 | 2 | 3
  readonly contracts: string
  /** The trade's place in its block: grows within one millisecond. */
  readonly place: number
}

export interface RecordedTrade extends TradeFacts {
  readonly origin: 'recorded'
  /** The trade as its venue's REST interface would write it, every digit as it was recorded. */
  readonly text: string
}

export type SimulatedTrade = SeededTrade | RecordedTrade

/** A question about an instrument's past. Bounds are inclusive; an absent one is open. */
export interface HistoryQuery {
  readonly instrument: string
  readonly fromSequence?: number | undefined
  readonly toSequence?: number | undefined
  readonly fromTime?: number | undefined
  readonly toTime?: number | undefined
  /** Only trades that the venue had published at this venue time; Infinity for the whole truth. */
  readonly publishedBy: number
  readonly limit: number
  /** True gives the newest of the range, newest first; false the oldest, oldest first. */
  readonly newestFirst: boolean
}

export interface HistoryPage {
  readonly trades: readonly SimulatedTrade[]
  /** Whether the range holds more than the page. */
  readonly hasMore: boolean
}

/** The trades of one venue, whether computed from a seed or read from a recording. */
export interface Market {
  readonly venue: Venue
  readonly instruments: readonly Instrument[]
  /** Venue time of the last trade there is; undefined where trading never ends. */
  readonly endTime: number | undefined
  history(query: HistoryQuery): HistoryPage
  /** The sequence of the first trade that is not yet published at this venue time. */
  nextSequence(instrument: string, now: number): number
}

export function findInstrument(market: Market, name: string): Instrument | undefined {
  return market.instruments.find((instrument) => instrument.name === name)
}
