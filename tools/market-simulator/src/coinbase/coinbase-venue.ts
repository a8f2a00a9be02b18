import type { Feed } from '../feed.ts'
import { findInstrument, type SeededTrade } from '../market/market.ts'
import type { SeededMarket } from '../market/seeded-market.ts'
import { SeededFeed } from '../seeded-feed.ts'
import type { SimulatedVenue, VenueContext } from '../venue.ts'
import { AdvancedSession } from './advanced-session.ts'
import { coinbaseInstruments } from './coinbase-instruments.ts'
import { CoinbaseProtocol } from './coinbase-protocol.ts'
import { advancedMessage, marketTrades, matchMessage } from './coinbase-text.ts'
import { ExchangeSession } from './exchange-session.ts'

const exchange = { venue: 'coinbase', wsPath: '/coinbase/ws', restPath: '/coinbase' } as const

const advanced = {
  venue: 'coinbase-advanced',
  wsPath: '/coinbase-advanced/ws',
  restPath: '/coinbase-advanced',
} as const

/** How long Advanced Trade gathers trades, in milliseconds. */
const batchMs = 200

/** Coinbase Exchange: each match by itself, at once. */
export const coinbase: SimulatedVenue = {
  name: exchange.venue,
  instruments: coinbaseInstruments(exchange.venue),
  wsPath: exchange.wsPath,
  restPath: exchange.restPath,
  speakSeeded(market, start, context) {
    const feed = feedOf(market, start, context, 1, (product, trades) => {
      for (const trade of trades) context.channels.publish(product, matchMessage('match', trade))
    })
    return new CoinbaseProtocol({
      ...exchange,
      context,
      feed,
      converse: (connection) => new ExchangeSession(connection, context, feed),
    })
  },
}

/** Advanced Trade: trades in batches. */
export const coinbaseAdvanced: SimulatedVenue = {
  name: advanced.venue,
  instruments: coinbaseInstruments(advanced.venue),
  wsPath: advanced.wsPath,
  restPath: advanced.restPath,
  speakSeeded(market, start, context) {
    const feed = feedOf(market, start, context, batchMs, (product, trades) => {
      const update = marketTrades('update', trades)
      context.channels.publish(product, advancedMessage('market_trades', context.now(), update))
    })
    return new CoinbaseProtocol({
      ...advanced,
      context,
      feed,
      converse: (connection) => new AdvancedSession(connection, context, feed),
    })
  },
}

/** Channels are named for their product. */
function feedOf(
  market: SeededMarket,
  start: number,
  { sent, withholds }: VenueContext,
  sliceMs: number,
  publish: (product: string, trades: readonly SeededTrade[]) => void,
): Feed {
  return new SeededFeed({
    market,
    sent,
    withholds,
    start,
    channel: (product) =>
      findInstrument(market, product) === undefined
        ? undefined
        : { instruments: [product], sliceMs },
    publish,
  })
}
