import { findInstrument } from '../market/market.ts'
import { ReplayFeed } from '../replay/replay-feed.ts'
import { SeededFeed } from '../seeded-feed.ts'
import type { SimulatedVenue } from '../venue.ts'
import { binanceInstrument, binanceInstruments } from './binance-instruments.ts'
import { BinanceProtocol, publishEvent, tradeStreamSymbol } from './binance-protocol.ts'
import { readBinanceMessage } from './binance-recording.ts'
import { tradeEvent } from './binance-text.ts'

/** Binance spot. */
export const binance: SimulatedVenue = {
  name: 'binance',
  instruments: binanceInstruments,
  // Its clients add /stream or /ws, and /api/v3.
  wsPath: '',
  restPath: '',
  speakSeeded(market, start, context) {
    const { sent, withholds } = context
    const feed = new SeededFeed({
      market,
      sent,
      withholds,
      start,
      channel: (name) => {
        const symbol = tradeStreamSymbol(name)
        if (symbol === undefined || findInstrument(market, symbol) === undefined) return undefined
        // Binance sends each trade by itself, at once.
        return { instruments: [symbol], sliceMs: 1 }
      },
      publish: (stream, trades) => {
        for (const trade of trades) publishEvent(context, stream, tradeEvent(stream, trade))
      },
    })
    return new BinanceProtocol(context, feed)
  },
  replay: {
    readMessage: readBinanceMessage,
    instrument: binanceInstrument,
    speak(messages, start, context) {
      const { sent, withholds } = context
      const publish = (stream: string, raw: string): boolean => publishEvent(context, stream, raw)
      const feed = new ReplayFeed({ messages, start, sent, withholds, publish })
      return new BinanceProtocol(context, feed)
    },
  },
}
