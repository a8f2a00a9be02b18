import type { Instrument } from './instrument.ts'
import type { HistoryPage, HistoryQuery, Market, SeededTrade } from './market.ts'
import type { SeededMarket } from './seeded-market.ts'
import type { Venue } from './venue-name.ts'

/**
 * What a venue tells under one sequence: a trade, or a later version of an earlier one. A pure function of
 * the seeded market, as everything here.
 */
export type EventOf = (
  market: SeededMarket,
  instrument: string,
  sequence: number,
) => { readonly trade: SeededTrade; readonly text: string }

/**
 * The market of a venue that tells of a trade more than once. Every event has a sequence of its own; a
 * question by time is about the time at which the venue told, not about that of the trade.
 */
export class VersionedMarket implements Market {
  readonly venue: Venue
  readonly instruments: readonly Instrument[]
  readonly endTime: number | undefined
  readonly #seeded: SeededMarket
  readonly #eventOf: EventOf

  constructor(seeded: SeededMarket, eventOf: EventOf) {
    this.venue = seeded.venue
    this.instruments = seeded.instruments
    this.endTime = seeded.endTime
    this.#seeded = seeded
    this.#eventOf = eventOf
  }

  history(query: HistoryQuery): HistoryPage {
    const { hasMore, trades } = this.#seeded.history(query)
    return {
      trades: trades.map(
        ({ instrument, sequence }) => this.#eventOf(this.#seeded, instrument, sequence).trade,
      ),
      hasMore,
    }
  }

  nextSequence(instrument: string, now: number): number {
    return this.#seeded.nextSequence(instrument, now)
  }
}
