import type { Instrument, Venue } from '../market/instrument.ts'
import type { HistoryPage, HistoryQuery, Market, RecordedTrade } from '../market/market.ts'
import type { DueMessage } from './recording.ts'

interface Row {
  readonly trade: RecordedTrade
  readonly dueAt: number
}

/** The trades of one venue's recorded messages; a trade is history once its message was due. */
export class ReplayMarket implements Market {
  readonly venue: Venue
  readonly instruments: readonly Instrument[]
  readonly endTime: number
  /** By instrument, in order of sequence, each sequence once. */
  readonly #rows: ReadonlyMap<string, readonly Row[]>

  /**
   * @param messages those of one venue, in file order; at least one
   * @param instrumentOf what an instrument's name tells of it
   */
  constructor(
    venue: Venue,
    messages: readonly DueMessage[],
    instrumentOf: (name: string) => Instrument,
  ) {
    this.venue = venue
    this.endTime = messages.at(-1)?.dueAt ?? 0
    const bySequence = new Map<string, Map<number, Row>>()
    for (const { dueAt, trades } of messages) {
      for (const trade of trades) {
        const rows = bySequence.get(trade.instrument) ?? new Map<number, Row>()
        bySequence.set(trade.instrument, rows)
        if (!rows.has(trade.sequence)) rows.set(trade.sequence, { trade, dueAt })
      }
    }
    this.#rows = new Map(
      [...bySequence].map(([instrument, rows]) => [
        instrument,
        [...rows.values()].toSorted((one, other) => one.trade.sequence - other.trade.sequence),
      ]),
    )
    this.instruments = [...bySequence.keys()].map(instrumentOf)
  }

  history(query: HistoryQuery): HistoryPage {
    const { fromSequence = 0, fromTime = 0, toSequence = Infinity, toTime = Infinity } = query
    const found = this.#instrumentRows(query.instrument)
      .filter(({ dueAt }) => dueAt <= query.publishedBy)
      .map(({ trade }) => trade)
      .filter(({ sequence }) => sequence >= fromSequence && sequence <= toSequence)
      .filter(({ eventTime }) => eventTime >= fromTime && eventTime <= toTime)
    const trades = query.newestFirst
      ? found.slice(-query.limit).toReversed()
      : found.slice(0, query.limit)
    return { trades, hasMore: found.length > trades.length }
  }

  nextSequence(instrument: string, now: number): number {
    const rows = this.#instrumentRows(instrument)
    const last = rows.findLast(({ dueAt }) => dueAt <= now)
    return last === undefined ? (rows[0]?.trade.sequence ?? 1) : last.trade.sequence + 1
  }

  #instrumentRows(instrument: string): readonly Row[] {
    const rows = this.#rows.get(instrument)
    if (rows !== undefined) return rows
    throw new RangeError(`The recording has no trades of ${this.venue}:${instrument}`)
  }
}
