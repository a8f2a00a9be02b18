import type { BybitMarket } from './bybit-market.ts'
import type { MappedTrade, MappingContext } from './mapped-trade.ts'
import { BybitRefusal, bybitResult, mapBybitRecent } from './mapper-bybit.ts'
import { exactInteger } from './raw-json.ts'
import { RestError } from './rest-client.ts'
import type { RestClient, RestErrorCode } from './rest-client.ts'
import type { RecentTrades } from './trade-history.ts'

/** GET /v5/market/recent-trade: the last trades, and no way to ask for those before. */
export class BybitRecentTrades implements RecentTrades {
  readonly #market: BybitMarket
  readonly #rest: RestClient
  readonly #mapping: () => MappingContext

  constructor(market: BybitMarket, rest: RestClient, mapping: () => MappingContext) {
    this.#market = market
    this.#rest = rest
    this.#mapping = mapping
  }

  async recent(instrument: string, signal: AbortSignal): Promise<readonly MappedTrade[]> {
    const { category, recentTrades } = this.#market
    const query = { category, symbol: instrument, limit: recentTrades }
    const body = await this.#rest.get('/v5/market/recent-trade', query, 1, signal)
    return bybitAnswer(() => mapBybitRecent(body, this.#market, this.#mapping()))
  }
}

/** GET /v5/market/time. @throws RestError */
export async function readBybitTime(rest: RestClient, signal: AbortSignal): Promise<number> {
  const body = await rest.get('/v5/market/time', {}, 1, signal)
  const { timeNano } = bybitAnswer(() => bybitResult(body))
  // Nanoseconds are beyond what a double holds: the last six digits are cut off as text.
  const time = typeof timeNano === 'string' ? exactInteger(timeNano.slice(0, -6)) : undefined
  if (time === undefined) throw new RestError('unavailable', `Bybit told no time: ${body}`)
  return time
}

/**
 * Reads an answer.
 *
 * @throws RestError with the meaning of what the venue refused.
 */
export function bybitAnswer<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    const code = error instanceof BybitRefusal ? meaningOfCode(error.code) : 'unavailable'
    throw new RestError(code, `Bybit's answer cannot be used: ${String(error)}`, { cause: error })
  }
}

/** What an answer with an error status says. */
export function meaningOfBybitAnswer(body: string): RestErrorCode {
  return meaningOfCode(Number(/"retCode"\s*:\s*(\d+)/.exec(body)?.[1]))
}

/** https://bybit-exchange.github.io/docs/v5, "Error Codes". */
function meaningOfCode(code: number): RestErrorCode {
  // Too many requests, by account, by address and of all.
  if (code === 10006 || code === 10018 || code === 10429) return 'rate_limited'
  // A parameter is wrong, which is also how a symbol that does not exist is told.
  return code === 10001 ? 'refused' : 'unavailable'
}
