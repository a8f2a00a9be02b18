import { coinbaseCatalog } from './catalog-coinbase.ts'
import type { CoinbaseVenue } from './coinbase-row.ts'
import { connectCoinbaseAdvanced } from './feed-coinbase-advanced.ts'
import { connectCoinbase } from './feed-coinbase.ts'
import { CoinbaseHistory } from './history-coinbase.ts'
import type { Venue } from './venue.ts'

/** Coinbase Exchange's spot pairs. */
export const coinbase: Venue = {
  ...exchangeOf('coinbase'),
  webSocketUrl: 'wss://ws-feed.exchange.coinbase.com',
  connect: (options) => connectCoinbase(options),
}

/** The same pairs through Advanced Trade's WebSocket, which sends trades in batches. */
export const coinbaseAdvanced: Venue = {
  ...exchangeOf('coinbase-advanced'),
  webSocketUrl: 'wss://advanced-trade-ws.coinbase.com',
  connect: (options) => connectCoinbaseAdvanced(options),
}

/** What both have of Coinbase Exchange: https://docs.cdp.coinbase.com/exchange. */
function exchangeOf(name: CoinbaseVenue): Omit<Venue, 'connect' | 'webSocketUrl'> {
  return {
    name,
    restUrl: 'https://api.exchange.coinbase.com',
    instruments: ['BTC-USD', 'ETH-USD'],
    // The heartbeat's clock is not the matching engine's, and batches of trades take their time.
    heartbeatMarginMs: 500,
    // Half of the 10 requests a second of an address.
    restBudget: { capacity: 5, refillPerSecond: 5 },
    // Of 8 a second.
    connectBudget: { capacity: 4, refillPerSecond: 2 },
    saysRateLimited: (body) => /rate limit exceeded|too many requests/i.test(body),
    saysRefused: (body) => /"message"\s*:\s*"(?:NotFound|Invalid\b|Product not found)/i.test(body),
    history: (rest, mapping) => new CoinbaseHistory({ venue: name, rest, mapping }),
    catalog: coinbaseCatalog,
  }
}
