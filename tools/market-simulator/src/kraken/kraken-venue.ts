import { findInstrument } from '../market/market.ts'
import { SeededFeed } from '../seeded-feed.ts'
import { openSession } from '../venue-session.ts'
import type { SimulatedVenue } from '../venue.ts'
import { krakenInstruments } from './kraken-instruments.ts'
import { krakenRestPath, krakenRoutes } from './kraken-rest.ts'
import { KrakenSession } from './kraken-session.ts'
import { tradePush } from './kraken-text.ts'

const wsPath = '/kraken/v2'

/** Kraken spot: the WebSocket's version 2, REST under /0/public. */
export const kraken: SimulatedVenue = {
  name: 'kraken',
  instruments: krakenInstruments,
  wsPath,
  restPath: krakenRestPath,
  speakSeeded(market, start, context) {
    const { channels, sent, withholds } = context
    const feed = new SeededFeed({
      market,
      sent,
      withholds,
      start,
      // Channels are named for their pair; what an order meets goes out in one message.
      channel: (pair) =>
        findInstrument(market, pair) === undefined
          ? undefined
          : { instruments: [pair], sliceMs: 1 },
      publish: (pair, trades) => channels.publish(pair, tradePush('update', trades)),
    })
    return {
      feed,
      speaksAt: (path) => path === wsPath,
      mayConnect: () => true,
      accept: (socket, transport) => {
        openSession(
          context,
          'kraken',
          { socket, transport },
          (connection) => new KrakenSession(connection, context, feed),
        )
      },
      routes: (app) => krakenRoutes(app, context),
    }
  },
}
