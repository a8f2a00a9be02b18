import type { BinanceMarket, BinanceStream } from './binance-market.ts'
import { BinanceContracts, readBinanceCatalog } from './catalog-binance.ts'
import { connectBinance } from './feed-binance.ts'
import { BinanceHistory } from './history-binance.ts'
import type { BinanceRows } from './mapper-binance.ts'
import type { Venue } from './venue.ts'

/** The venue ends a connection of this age: https://developers.binance.com, "WebSocket Streams". */
const maxConnectionMs = 24 * 60 * 60 * 1000

export interface BinanceOptions {
  /** `auto`: single trades on the spot market; on futures Binance documents aggregate ones alone. */
  readonly stream: BinanceStream | 'auto'
  /** Futures give the history of single trades only to those who have one. Empty: none. */
  readonly apiKey: string
}

/** One of Binance's markets. */
export function binance(market: BinanceMarket, { apiKey, stream: chosen }: BinanceOptions): Venue {
  const stream = chosen === 'auto' ? market.stream : chosen
  const contracts = new BinanceContracts(market)
  const rows: BinanceRows =
    market.quantities === 'contracts'
      ? { venue: market.name, contractSize: contracts.sizeOf }
      : { venue: market.name }
  return {
    name: market.name,
    webSocketUrl: market.webSocketUrl[stream],
    restUrl: market.restUrl,
    instruments: market.instruments,
    // REST and streams are different machines of the venue's: the barrier does not order them.
    heartbeatMarginMs: 500,
    maxConnectionMs,
    ...(apiKey === '' ? {} : { restHeaders: { 'X-MBX-APIKEY': apiKey } }),
    restBudget: market.restBudget,
    saysRateLimited: (body) => /"code"\s*:\s*-1003\b/.test(body),
    // -1100 to -1199: https://developers.binance.com, error codes, "Request issues".
    saysRefused: (body) => /"code"\s*:\s*-11\d\d\b/.test(body),
    connect: (options) => connectBinance(options, { market, stream, contracts, rows }),
    history: (rest, mapping) =>
      new BinanceHistory({ market, stream, contracts, rows, rest, mapping }),
    catalog: (rest, signal) => readBinanceCatalog(market, rest, signal),
  }
}
