import { findInstrument } from '../market/market.ts'
import { SeededFeed } from '../seeded-feed.ts'
import type { SimulatedVenue } from '../venue.ts'
import { type BybitMarket, bybitMarkets } from './bybit-market.ts'
import { BybitProtocol } from './bybit-protocol.ts'
import { topicInstrument } from './bybit-session.ts'
import { tradePushes } from './bybit-text.ts'

/**
 * Bybit v5. Nothing that it sends has the simulator's own numbers, which the ground truth has: they are
 * behind the ids.
 */
function bybit(bybitMarket: BybitMarket): SimulatedVenue {
  const { category, instruments, venue } = bybitMarket
  const wsPath = `/${venue}/v5/public/${category}`
  const restPath = `/${venue}`
  return {
    name: venue,
    instruments,
    wsPath,
    restPath,
    speakSeeded(market, start, context) {
      const { channels, sent, withholds } = context
      const feed = new SeededFeed({
        market,
        sent,
        withholds,
        start,
        channel: (topic) => {
          const instrument = topicInstrument(topic) ?? ''
          if (findInstrument(market, instrument) === undefined) return undefined
          return { instruments: [instrument], sliceMs: 1 }
        },
        publish: (topic, trades) => {
          for (const push of tradePushes(topic, bybitMarket, trades)) channels.publish(topic, push)
        },
      })
      return new BybitProtocol({ market: bybitMarket, context, feed, wsPath, restPath })
    },
  }
}

export const bybitSpot = bybit(bybitMarkets.spot)
export const bybitLinear = bybit(bybitMarkets.linear)
export const bybitInverse = bybit(bybitMarkets.inverse)
