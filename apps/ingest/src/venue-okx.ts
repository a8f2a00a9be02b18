import { okxCatalog } from './catalog-okx.ts'
import { connectOkx } from './feed-okx.ts'
import { OkxHistory, meaningOfOkxAnswer } from './history-okx.ts'
import type { Venue } from './venue.ts'

/** OKX's spot pairs, perpetuals, futures and options. */
export const okx: Venue = {
  name: 'okx',
  webSocketUrl: 'wss://ws.okx.com:8443/ws/v5/business',
  restUrl: 'https://www.okx.com',
  instruments: ['BTC-USDT', 'ETH-USDT', 'BTC-USDT-SWAP'],
  // REST and WebSocket are different machines of the venue's: the barrier does not order them.
  heartbeatMarginMs: 500,
  // Of 20 requests in 2 s, which OKX counts for each endpoint and address; the heartbeats' own,
  // which ask for the time, are among ours.
  restBudget: { capacity: 10, refillPerSecond: 8 },
  saysRateLimited: (body) => meaningOfOkxAnswer(body) === 'rate_limited',
  saysRefused: (body) => meaningOfOkxAnswer(body) === 'refused',
  connect: (options) => connectOkx(options),
  history: (rest, mapping) => new OkxHistory(rest, mapping),
  catalog: okxCatalog,
}
