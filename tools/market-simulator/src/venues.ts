import { BinanceProtocol, publishEvent, tradeStreamSymbol } from './binance/binance-protocol.ts'
import { tradeEvent } from './binance/binance-text.ts'
import { parseTradesChannel } from './deribit/deribit-channels.ts'
import { DeribitProtocol } from './deribit/deribit-protocol.ts'
import { tradesNotification } from './deribit/deribit-text.ts'
import { findInstrument } from './market/market.ts'
import type { SeededMarket } from './market/seeded-market.ts'
import { SeededFeed } from './seeded-feed.ts'
import type { VenueContext, VenueProtocol } from './venue.ts'

/** Speaks a seeded market in its venue's protocol. */
export function speakSeeded(
  market: SeededMarket,
  start: number,
  context: VenueContext,
): VenueProtocol {
  const { sent, withholds } = context
  const shared = { market, sent, withholds, start }
  if (market.venue === 'deribit') {
    const feed = new SeededFeed({
      ...shared,
      channel: (name) => parseTradesChannel(name, market),
      publish: (channel, trades) =>
        context.channels.publish(channel, tradesNotification(channel, trades)),
    })
    const accepts = (name: string): boolean => parseTradesChannel(name, market) !== undefined
    return new DeribitProtocol({ context, feed, accepts })
  }
  const feed = new SeededFeed({
    ...shared,
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
}
