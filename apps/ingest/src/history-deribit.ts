import type { MappedTrade, MappingContext } from './mapped-trade.ts'
import { mapDeribitHistory } from './mapper-deribit.ts'
import { RestError } from './rest-client.ts'
import type { RestClient } from './rest-client.ts'
import type { HistoryPage, TradeHistory } from './trade-history.ts'

const path = '/public/get_last_trades_by_instrument'

/** Most trades in one answer. */
const pageSize = 1000

/** Credits of a request: https://docs.deribit.com, "Rate Limits". */
const requestCredits = 500

/** `public/get_last_trades_by_instrument`, which speaks in sequences. */
export class DeribitHistory implements TradeHistory {
  /** Deribit counts an instrument's trades from 1. */
  readonly firstSequence = 1
  readonly #rest: RestClient
  readonly #mapping: () => MappingContext

  constructor(rest: RestClient, mapping: () => MappingContext) {
    this.#rest = rest
    this.#mapping = mapping
  }

  async newest(instrument: string, signal: AbortSignal): Promise<MappedTrade | undefined> {
    const query = { instrument_name: instrument, count: 1, sorting: 'desc' }
    const { trades } = await this.#ask(query, signal)
    return trades[0]
  }

  async page(
    instrument: string,
    from: number,
    to: number | undefined,
    signal: AbortSignal,
  ): Promise<HistoryPage> {
    const last = to === undefined ? {} : { end_seq: to }
    return await this.#ask(
      { instrument_name: instrument, start_seq: from, ...last, count: pageSize, sorting: 'asc' },
      signal,
    )
  }

  async #ask(
    query: Readonly<Record<string, string | number>>,
    signal: AbortSignal,
  ): Promise<HistoryPage> {
    const body = await this.#rest.get(path, query, requestCredits, signal)
    try {
      return mapDeribitHistory(body, this.#mapping())
    } catch (error) {
      throw new RestError('unavailable', `Deribit's answer cannot be read: ${String(error)}`, {
        cause: error,
      })
    }
  }
}
