import type { BybitMarket } from './bybit-market.ts'
import { bybitCatalog } from './catalog-bybit.ts'
import { connectBybit } from './feed-bybit.ts'
import { BybitRecentTrades, meaningOfBybitAnswer } from './history-bybit.ts'
import type { Venue } from './venue.ts'

/** One of Bybit's markets: their symbols are the same, so each is a venue of its own. */
export function bybit(market: BybitMarket): Venue {
  return {
    name: market.venue,
    webSocketUrl: `wss://stream.bybit.com/v5/public/${market.category}`,
    restUrl: 'https://api.bybit.com',
    instruments: market.instruments,
    // REST and WebSocket are different machines of the venue's: the barrier does not order them.
    heartbeatMarginMs: 500,
    // Half of the 600 requests in 5 s that an address has: whoever has more is locked out for 10 minutes.
    restBudget: { capacity: 100, refillPerSecond: 60 },
    // Of 500 in five minutes.
    connectBudget: { capacity: 20, refillPerSecond: 1 },
    saysRateLimited: (body) => meaningOfBybitAnswer(body) === 'rate_limited',
    saysRefused: (body) => meaningOfBybitAnswer(body) === 'refused',
    connect: (options) => connectBybit(options, market),
    history: (rest, mapping) => new BybitRecentTrades(market, rest, mapping),
    catalog: (rest, signal) => bybitCatalog(market, rest, signal),
  }
}
