import type { MappedTrade, MappingContext } from './mapped-trade.ts'
import { mapDeribitHistory } from './mapper-deribit.ts'
import { readAnswer } from './rest-client.ts'
import type { RestClient } from './rest-client.ts'
import type { HistoryPage, TradeHistory } from './trade-history.ts'

const path = '/public/get_last_trades_by_instrument'

/** Most trades in one answer. */
const pageSize = 1000

/** Credits of a request: https://docs.deribit.com, "Rate Limits". */
const requestCredits = 500

/**
 * `public/get_last_trades_by_instrument`, which speaks in sequences. The venue's own host keeps the
 * trades of a day; earlier ones are in its archive, under the same method.
 */
export class DeribitHistory implements TradeHistory {
  /** Deribit counts an instrument's trades from 1. */
  readonly firstSequence = 1
  readonly #rest: RestClient
  readonly #archive: string | undefined
  readonly #mapping: () => MappingContext

  /** @param archive base address; undefined if there is none. */
  constructor(rest: RestClient, mapping: () => MappingContext, archive?: string) {
    this.#rest = rest
    this.#archive = archive
    this.#mapping = mapping
  }

  async newest(instrument: string, signal: AbortSignal): Promise<MappedTrade | undefined> {
    const query = { instrument_name: instrument, count: 1, sorting: 'desc' }
    const { trades } = await this.#ask(path, query, signal)
    return trades[0]
  }

  async page(
    instrument: string,
    from: number,
    to: number | undefined,
    signal: AbortSignal,
  ): Promise<HistoryPage> {
    const recent = await this.#range(path, instrument, from, to, signal)
    const until = this.#missingUntil(recent, from, to)
    if (this.#archive === undefined || until === undefined) return recent
    const early = await this.#range(`${this.#archive}${path}`, instrument, from, until, signal)
    // More of it, or what the own host has behind it.
    const hasMore = early.hasMore || recent.trades.length > 0
    return early.trades.length === 0 ? recent : { trades: early.trades, hasMore }
  }

  /** The last sequence that the own host ought to have told and did not. */
  #missingUntil(recent: HistoryPage, from: number, to: number | undefined): number | undefined {
    const [first] = recent.trades
    if (first === undefined) return to
    const { sequence } = first
    return typeof sequence === 'number' && sequence > from ? sequence - 1 : undefined
  }

  async #range(
    address: string,
    instrument: string,
    from: number,
    to: number | undefined,
    signal: AbortSignal,
  ): Promise<HistoryPage> {
    const last = to === undefined ? {} : { end_seq: to }
    return await this.#ask(
      address,
      { instrument_name: instrument, start_seq: from, ...last, count: pageSize, sorting: 'asc' },
      signal,
    )
  }

  async #ask(
    address: string,
    query: Readonly<Record<string, string | number>>,
    signal: AbortSignal,
  ): Promise<HistoryPage> {
    const body = await this.#rest.get(address, query, requestCredits, signal)
    return readAnswer("Deribit's", () => mapDeribitHistory(body, this.#mapping()))
  }
}
