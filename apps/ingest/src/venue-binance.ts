import { connectBinance } from './feed-binance.ts'
import { BinanceHistory } from './history-binance.ts'
import type { Venue } from './venue.ts'

/** Binance's spot market. */
export const binance: Venue = {
  name: 'binance',
  webSocketUrl: 'wss://stream.binance.com:9443/stream',
  restUrl: 'https://api.binance.com',
  instruments: ['BTCUSDT', 'ETHUSDT'],
  // REST and streams are different machines of the venue's: the barrier does not order them.
  heartbeatMarginMs: 500,
  // Half of the weight of an address, 6,000 a minute.
  restBudget: { capacity: 1_000, refillPerSecond: 50 },
  saysRateLimited: (body) => /"code"\s*:\s*-1003\b/.test(body),
  // -1100 to -1199: https://developers.binance.com, spot, error codes, "Request issues".
  saysRefused: (body) => /"code"\s*:\s*-11\d\d\b/.test(body),
  connect: connectBinance,
  history: (rest, mapping) => new BinanceHistory(rest, mapping),
}
