import type { BinanceMarket, BinanceStream } from './binance-market.ts'
import type { BinanceContracts } from './catalog-binance.ts'
import type { MappedTrade, MappingContext } from './mapped-trade.ts'
import { mapBinanceHistory } from './mapper-binance.ts'
import type { BinanceRows } from './mapper-binance.ts'
import { exactInteger } from './raw-json.ts'
import { RestError, readAnswer } from './rest-client.ts'
import type { RestClient } from './rest-client.ts'
import type { HistoryPage, TradeHistory } from './trade-history.ts'

const resources: Readonly<Record<BinanceStream, string>> = {
  trade: 'historicalTrades',
  aggTrade: 'aggTrades',
}

/** Most trades in one answer. */
const pageSize = 1000

export interface BinanceHistoryOptions {
  readonly market: BinanceMarket
  readonly stream: BinanceStream
  readonly contracts: BinanceContracts
  readonly rows: BinanceRows
  readonly rest: RestClient
  readonly mapping: () => MappingContext
}

/** GET historicalTrades or aggTrades, by id, which is the sequence. */
export class BinanceHistory implements TradeHistory {
  readonly firstSequence = 0
  readonly #options: BinanceHistoryOptions

  constructor(options: BinanceHistoryOptions) {
    this.#options = options
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
    const { market, stream } = this.#options
    const skips = market.hasOffBookTrades && stream === 'trade'
    return {
      trades: skips ? withOffBookIds(trades, instrument, from) : trades,
      hasMore: trades.length === limit,
    }
  }

  async #ask(
    instrument: string,
    query: Readonly<Record<string, number>>,
    signal: AbortSignal,
  ): Promise<readonly MappedTrade[]> {
    const { contracts, mapping, market, rest, rows, stream } = this.#options
    if (market.quantities === 'contracts') await contracts.learn([instrument], rest, signal)
    const body = await rest.get(
      `${market.restPath}/${resources[stream]}`,
      { symbol: instrument, ...query },
      market.weights[stream],
      signal,
    )
    return readAnswer("Binance's", () => mapBinanceHistory(instrument, body, mapping(), rows))
  }
}

/** Wider than any run of them; ids that are missing beyond it are not taken for such trades. */
const longestOffBookRun = 200

/**
 * A page ascends from the id that was asked for and holds market trades only: ids that it passes over are
 * trades beside the book. They are turned away as the stream's are, so that no hole stays.
 */
export function withOffBookIds(
  trades: readonly MappedTrade[],
  instrument: string,
  from: number,
): readonly MappedTrade[] {
  const whole: MappedTrade[] = []
  let next = from
  for (const trade of trades) {
    const sequence = trade.sequence ?? next
    if (sequence - next <= longestOffBookRun) {
      for (; next < sequence; next += 1) whole.push(offBookId(instrument, next, sequence))
    }
    whole.push(trade)
    next = sequence + 1
  }
  return whole
}

function offBookId(instrument: string, sequence: number, following: number): MappedTrade {
  return {
    kind: 'rejected',
    reason: 'invalid',
    message: `no market trade: the history has no ${sequence} before ${following}`,
    // There is nothing that the venue wrote; this much it would have.
    original: `{"id":${sequence}}`,
    instrument,
    sequence,
  }
}

/** GET time. @throws RestError */
export async function readVenueTime(
  { restPath, weights }: BinanceMarket,
  rest: RestClient,
  signal: AbortSignal,
): Promise<number> {
  const body = await rest.get(`${restPath}/time`, {}, weights.time, signal)
  const time = exactInteger(Number(/"serverTime"\s*:\s*(\d+)/.exec(body)?.[1]))
  if (time === undefined) throw new RestError('unavailable', `Binance told no time: ${body}`)
  return time
}
