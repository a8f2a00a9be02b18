import { findInstrument } from '../market/market.ts'
import { SeededFeed } from '../seeded-feed.ts'
import type { SimulatedVenue } from '../venue.ts'
import { okxInstruments } from './okx-instruments.ts'
import { OkxProtocol, okxWsPath } from './okx-protocol.ts'
import { okxRestPath } from './okx-rest.ts'
import { aggregatePush, aggregates, tradePush } from './okx-text.ts'

export const okx: SimulatedVenue = {
  name: 'okx',
  instruments: okxInstruments,
  wsPath: okxWsPath,
  restPath: okxRestPath,
  speakSeeded(market, start, context) {
    const { channels, sent, withholds } = context
    const feed = new SeededFeed({
      market,
      sent,
      withholds,
      start,
      channel: (name) => {
        const [, instrument = ''] = name.split(':')
        if (findInstrument(market, instrument) === undefined) return undefined
        // OKX sends each trade, or each aggregate, at once.
        return { instruments: [instrument], sliceMs: 1 }
      },
      publish: (name, trades) => {
        const pushes = name.startsWith('trades-all:')
          ? trades.map(tradePush)
          : aggregates(trades).map(aggregatePush)
        for (const push of pushes) channels.publish(name, push)
      },
    })
    return new OkxProtocol(context, feed)
  },
}
