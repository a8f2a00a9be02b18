import { ReplayFeed } from '../replay/replay-feed.ts'
import { SeededFeed } from '../seeded-feed.ts'
import type { SimulatedVenue } from '../venue.ts'
import { isRaw, parseTradesChannel } from './deribit-channels.ts'
import { deribitInstrument, deribitInstruments } from './deribit-instruments.ts'
import { DeribitProtocol } from './deribit-protocol.ts'
import { readDeribitMessage } from './deribit-recording.ts'
import { tradesNotification } from './deribit-text.ts'

export const deribit: SimulatedVenue = {
  name: 'deribit',
  instruments: deribitInstruments,
  wsPath: '/ws/api/v2',
  restPath: '/api/v2',
  speakSeeded(market, start, context) {
    const { channels, sent, withholds } = context
    const feed = new SeededFeed({
      market,
      sent,
      withholds,
      start,
      channel: (name) => parseTradesChannel(name, market),
      publish: (channel, trades) => channels.publish(channel, tradesNotification(channel, trades)),
    })
    const accepts = (name: string, authorized: boolean): boolean => {
      if (isRaw(name) && !authorized) return false
      const described = parseTradesChannel(name, market)
      return described !== undefined && !described.instruments.some(context.refuses)
    }
    return new DeribitProtocol({ context, feed, accepts })
  },
  replay: {
    readMessage: readDeribitMessage,
    instrument: deribitInstrument,
    speak(messages, start, context) {
      const { channels, sent, withholds } = context
      const recorded = new Set(messages.map(({ channel }) => channel))
      const publish = (channel: string, raw: string): boolean => channels.publish(channel, raw)
      return new DeribitProtocol({
        context,
        feed: new ReplayFeed({ messages, start, sent, withholds, publish }),
        // The recording's own channels, `raw` ones too; there is nothing to send for any other.
        accepts: (channel) => recorded.has(channel),
      })
    },
  },
}
