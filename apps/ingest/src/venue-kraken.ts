import { krakenCatalog } from './catalog-kraken.ts'
import { connectKraken } from './feed-kraken.ts'
import { KrakenHistory, meaningOfKrakenAnswer } from './history-kraken.ts'
import type { Venue } from './venue.ts'

/** Kraken's spot pairs. */
export const kraken: Venue = {
  name: 'kraken',
  webSocketUrl: 'wss://ws.kraken.com/v2',
  restUrl: 'https://api.kraken.com',
  instruments: ['BTC/USD', 'ETH/USD'],
  heartbeatMarginMs: 500,
  // Of an address, over all pairs; KrakenHistory keeps to the limit of each.
  restBudget: { capacity: 10, refillPerSecond: 5 },
  // Of about 150 in 10 minutes.
  connectBudget: { capacity: 10, refillPerSecond: 0.2 },
  saysRateLimited: (body) => meaningOfKrakenAnswer(body) === 'rate_limited',
  saysRefused: (body) => meaningOfKrakenAnswer(body) === 'refused',
  connect: (options) => connectKraken(options),
  history: (rest, mapping) => new KrakenHistory(rest, mapping),
  catalog: krakenCatalog,
}
