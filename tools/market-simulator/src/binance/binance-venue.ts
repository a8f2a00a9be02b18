import type { Instrument } from '../market/instrument.ts'
import { findInstrument } from '../market/market.ts'
import type { SeededMarket } from '../market/seeded-market.ts'
import { ReplayFeed } from '../replay/replay-feed.ts'
import { SeededFeed } from '../seeded-feed.ts'
import type { SimulatedVenue, VenueContext } from '../venue.ts'
import {
  binanceInstrument,
  binanceInstruments,
  coinmInstruments,
  usdmInstruments,
} from './binance-instruments.ts'
import { type BinanceMarket, coinmMarket, spotMarket, usdmMarket } from './binance-market.ts'
import { BinanceProtocol, publishEvent, readTradeStream } from './binance-protocol.ts'
import { readBinanceMessage } from './binance-recording.ts'
import { aggTradeEvent, tradeEvent } from './binance-text.ts'

/** Binance spot. Its clients add /stream or /ws, and /api/v3. */
export const binance: SimulatedVenue = {
  ...seededVenue(spotMarket, binanceInstruments),
  wsPath: '',
  replay: {
    readMessage: readBinanceMessage,
    instrument: binanceInstrument,
    speak(messages, start, context) {
      const { sent, withholds } = context
      const publish = (stream: string, raw: string): boolean => publishEvent(context, stream, raw)
      const feed = new ReplayFeed({ messages, start, sent, withholds, publish })
      return new BinanceProtocol(spotMarket, context, feed)
    },
  },
}

/** Binance's futures that are settled in dollar coins. */
export const binanceUsdm: SimulatedVenue = seededVenue(usdmMarket, usdmInstruments)

/** Binance's futures that are settled in the coin that they are on. */
export const binanceCoinm: SimulatedVenue = seededVenue(coinmMarket, coinmInstruments)

function seededVenue(binanceMarket: BinanceMarket, instruments: readonly Instrument[]) {
  const { prefix, streamPaths, venue } = binanceMarket
  return {
    name: venue,
    instruments,
    wsPath: `${prefix}${streamPaths[0] ?? ''}`,
    restPath: prefix,
    speakSeeded: (market: SeededMarket, start: number, context: VenueContext) =>
      new BinanceProtocol(binanceMarket, context, seededFeed(market, start, context)),
  } satisfies SimulatedVenue
}

function seededFeed(market: SeededMarket, start: number, context: VenueContext): SeededFeed {
  const { sent, withholds } = context
  return new SeededFeed({
    market,
    sent,
    withholds,
    start,
    channel: (name) => {
      const stream = readTradeStream(name)
      if (stream === undefined) return undefined
      if (findInstrument(market, stream.symbol) === undefined) return undefined
      // Binance sends each trade by itself, at once.
      return { instruments: [stream.symbol], sliceMs: 1 }
    },
    publish: (stream, trades) => {
      const event = readTradeStream(stream)?.kind === 'aggTrade' ? aggTradeEvent : tradeEvent
      for (const trade of trades) publishEvent(context, stream, event(stream, trade))
    },
  })
}
