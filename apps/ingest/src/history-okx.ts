import { ascendingPage } from './descending-pages.ts'
import type { MappedTrade, MappingContext } from './mapped-trade.ts'
import { OkxRefusal, mapOkxHistory, okxRows } from './mapper-okx.ts'
import { exactInteger } from './raw-json.ts'
import { RestError } from './rest-client.ts'
import type { RestClient, RestErrorCode } from './rest-client.ts'
import type { HistoryPage, RecentTrades, TradeHistory } from './trade-history.ts'
import { isObject } from './venue-row.ts'

/** Most trades in one answer. */
const pageSize = 100

/** GET /api/v5/market/history-trades, by trade id, which is the sequence; it reaches three months back. */
export class OkxHistory implements TradeHistory {
  readonly firstSequence = 1
  readonly #rest: RestClient
  readonly #mapping: () => MappingContext

  constructor(rest: RestClient, mapping: () => MappingContext) {
    this.#rest = rest
    this.#mapping = mapping
  }

  async newest(instrument: string, signal: AbortSignal): Promise<MappedTrade | undefined> {
    const trades = await this.#ask({ instId: instrument, limit: 1 }, signal)
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
        this.#ask({ instId: instrument, type: 1, after, limit }, signal),
      newest: () => this.newest(instrument, signal),
    }
    return await ascendingPage(pages, from, to)
  }

  async #ask(
    query: Readonly<Record<string, string | number>>,
    signal: AbortSignal,
  ): Promise<readonly MappedTrade[]> {
    const body = await this.#rest.get('/api/v5/market/history-trades', query, 1, signal)
    return okxAnswer(() => mapOkxHistory(body, this.#mapping()))
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

/**
 * Reads an answer.
 *
 * @throws RestError with the meaning of what the venue refused.
 */
export function okxAnswer<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    const code = error instanceof OkxRefusal ? meaningOfCode(error.code) : 'unavailable'
    throw new RestError(code, `OKX's answer cannot be used: ${String(error)}`, { cause: error })
  }
}

/** What an answer with an error status says. */
export function meaningOfOkxAnswer(body: string): RestErrorCode {
  return meaningOfCode(/"code"\s*:\s*"(\d+)"/.exec(body)?.[1] ?? '')
}

/** https://www.okx.com/docs-v5, "Error Code", REST API. */
function meaningOfCode(code: string): RestErrorCode {
  // Too many requests, by address and by account.
  if (code === '50011' || code === '50061') return 'rate_limited'
  // A parameter is missing or wrong; the instrument, its family or its kind does not exist.
  return /^(?:50014|50015|51000|51001|51014|51015)$/.test(code) ? 'refused' : 'unavailable'
}
