import { ascendingPage } from './descending-pages.ts'
import type { MappedTrade, MappingContext } from './mapped-trade.ts'
import { mapOkxHistory, okxRows } from './mapper-okx.ts'
import { okxAnswer } from './okx-answer.ts'
import type { OkxContracts } from './okx-contracts.ts'
import { exactInteger } from './raw-json.ts'
import { RestError } from './rest-client.ts'
import type { RestClient } from './rest-client.ts'
import type { HistoryPage, RecentTrades, TradeHistory } from './trade-history.ts'
import { isObject } from './venue-row.ts'

/** Most trades in one answer. */
const pageSize = 100

/** GET /api/v5/market/history-trades, by trade id, which is the sequence; it reaches three months back. */
export class OkxHistory implements TradeHistory {
  readonly firstSequence = 1
  readonly #rest: RestClient
  readonly #mapping: () => MappingContext
  readonly #contracts: OkxContracts

  constructor(rest: RestClient, mapping: () => MappingContext, contracts: OkxContracts) {
    this.#rest = rest
    this.#mapping = mapping
    this.#contracts = contracts
  }

  async newest(instrument: string, signal: AbortSignal): Promise<MappedTrade | undefined> {
    const trades = await this.#ask(instrument, { limit: 1 }, signal)
    return trades.at(-1)
  }

  /**
   * OKX counts its pages down from `after`, which is not in them; `before` alone would give the newest
   * ones, however far behind it they are.
   */
  async page(
    instrument: string,
    from: number,
    to: number | undefined,
    signal: AbortSignal,
  ): Promise<HistoryPage> {
    const pages = {
      pageSize,
      below: (after: number, limit: number) =>
        this.#ask(instrument, { type: 1, after, limit }, signal),
      newest: () => this.newest(instrument, signal),
    }
    return await ascendingPage(pages, from, to)
  }

  async #ask(
    instId: string,
    query: Readonly<Record<string, number>>,
    signal: AbortSignal,
  ): Promise<readonly MappedTrade[]> {
    const failure = (await this.#contracts.learn([instId], this.#rest, signal)).get(instId)
    if (failure !== undefined) throw failure
    const address = '/api/v5/market/history-trades'
    const body = await this.#rest.get(address, { instId, ...query }, 1, signal)
    const { contractOf } = this.#contracts
    return okxAnswer(() => mapOkxHistory(body, this.#mapping(), contractOf))
  }
}

/**
 * The venue tells its past trade by trade alone. Which of them an order made together is not told, so
 * that none of the aggregates can be made again, and a cut shows as a gap.
 */
export class OkxAggregates implements RecentTrades {
  recent(instrument: string): Promise<readonly MappedTrade[]> {
    const message = `OKX has no history of the aggregates of ${instrument}: choose the channel trades-all`
    return Promise.reject(new RestError('refused', message))
  }
}

/** GET /api/v5/public/time. @throws RestError */
export async function readOkxTime(rest: RestClient, signal: AbortSignal): Promise<number> {
  const body = await rest.get('/api/v5/public/time', {}, 1, signal)
  const [row] = okxAnswer(() => okxRows(body))
  const time = isObject(row) ? exactInteger(row['ts']) : undefined
  if (time === undefined) throw new RestError('unavailable', `OKX told no time: ${body}`)
  return time
}
