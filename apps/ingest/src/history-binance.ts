import type { MappedTrade, MappingContext } from './mapped-trade.ts'
import { mapBinanceHistory } from './mapper-binance.ts'
import { exactInteger } from './raw-json.ts'
import { RestError } from './rest-client.ts'
import type { RestClient } from './rest-client.ts'
import type { HistoryPage, TradeHistory } from './trade-history.ts'

const path = '/api/v3/historicalTrades'

/** Most trades in one answer. */
const pageSize = 1000

/** Of 6,000 a minute. */
const historyWeight = 25
const timeWeight = 1

/** GET /api/v3/historicalTrades, by trade id, which is the sequence. */
export class BinanceHistory implements TradeHistory {
  readonly firstSequence = 0
  readonly #rest: RestClient
  readonly #mapping: () => MappingContext

  constructor(rest: RestClient, mapping: () => MappingContext) {
    this.#rest = rest
    this.#mapping = mapping
  }

  async newest(instrument: string, signal: AbortSignal): Promise<MappedTrade | undefined> {
    const trades = await this.#ask(instrument, { limit: 1 }, signal)
    return trades.at(-1)
  }

  async page(
    instrument: string,
    from: number,
    to: number | undefined,
    signal: AbortSignal,
  ): Promise<HistoryPage> {
    const limit = to === undefined ? pageSize : Math.min(pageSize, to - from + 1)
    const trades = await this.#ask(instrument, { fromId: from, limit }, signal)
    return { trades, hasMore: trades.length === limit }
  }

  async #ask(
    instrument: string,
    query: Readonly<Record<string, number>>,
    signal: AbortSignal,
  ): Promise<readonly MappedTrade[]> {
    const body = await this.#rest.get(path, { symbol: instrument, ...query }, historyWeight, signal)
    try {
      return mapBinanceHistory(instrument, body, this.#mapping())
    } catch (error) {
      throw new RestError('unavailable', `Binance's answer cannot be read: ${String(error)}`, {
        cause: error,
      })
    }
  }
}

/** GET /api/v3/time. @throws RestError */
export async function readVenueTime(rest: RestClient, signal: AbortSignal): Promise<number> {
  const body = await rest.get('/api/v3/time', {}, timeWeight, signal)
  const time = exactInteger(Number(/"serverTime"\s*:\s*(\d+)/.exec(body)?.[1]))
  if (time === undefined) throw new RestError('unavailable', `Binance told no time: ${body}`)
  return time
}
