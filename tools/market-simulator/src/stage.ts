import { BinanceProtocol, publishEvent, tradeStreamSymbol } from './binance/binance-protocol.ts'
import { tradeEvent } from './binance/binance-text.ts'
import { parseTradesChannel } from './deribit/deribit-channels.ts'
import { DeribitProtocol } from './deribit/deribit-protocol.ts'
import { tradesNotification } from './deribit/deribit-text.ts'
import type { Instrument, Venue } from './market/instrument.ts'
import { findInstrument, type Market } from './market/market.ts'
import { SeededMarket } from './market/seeded-market.ts'
import { type DueMessage, readRecording } from './replay/recording.ts'
import { ReplayFeed } from './replay/replay-feed.ts'
import { ReplayMarket } from './replay/replay-market.ts'
import { SeededFeed } from './seeded-feed.ts'
import type { VenueContext, VenueProtocol } from './venue.ts'

/** What is performed: the markets, from when to when, and how each is spoken. */
export interface Stage {
  readonly start: number
  /** Venue time of the last trade; undefined where trading never ends. */
  readonly end: number | undefined
  readonly acts: readonly Act[]
}

export interface Act {
  readonly market: Market
  readonly speak: (context: VenueContext) => VenueProtocol
}

export interface SeededStageOptions {
  readonly venues: readonly Venue[]
  readonly instruments: readonly Instrument[]
  readonly seed: string
  readonly rate: number
  readonly start: number
  readonly end: number | undefined
}

/** The default start of a replay: this long before its first message, so that it is not missed. */
const replayLeadMs = 1000

export function seededStage(options: SeededStageOptions): Stage {
  const { end, instruments, rate, seed, start } = options
  const acts = options.venues.map((venue) => {
    const market = new SeededMarket({ venue, instruments, seed, rate, endTime: end })
    const speak = venue === 'deribit' ? speakSeededDeribit : speakSeededBinance
    return { market, speak: (context: VenueContext) => speak(market, start, context) }
  })
  return { start, end, acts }
}

/** @throws RecordingError if the file is no recording of trades; see readRecording. */
export async function replayStage(file: string, start: number | undefined): Promise<Stage> {
  const messages = await readRecording(file)
  const from = start ?? (messages[0]?.dueAt ?? 0) - replayLeadMs
  const acts = [...new Set(messages.map(({ venue }) => venue))].map((venue) => {
    const own = messages.filter((message) => message.venue === venue)
    return {
      market: new ReplayMarket(venue, own),
      speak: (context: VenueContext) => speakReplay(venue, own, from, context),
    }
  })
  return { start: from, end: messages.at(-1)?.dueAt, acts }
}

function speakSeededDeribit(
  market: SeededMarket,
  start: number,
  context: VenueContext,
): VenueProtocol {
  const { sent, withholds } = context
  const feed = new SeededFeed({
    market,
    sent,
    withholds,
    start,
    channel: (name) => parseTradesChannel(name, market),
    publish: (channel, trades) =>
      context.channels.publish(channel, tradesNotification(channel, trades)),
  })
  const accepts = (name: string): boolean => parseTradesChannel(name, market) !== undefined
  return new DeribitProtocol({ context, feed, accepts })
}

function speakSeededBinance(
  market: SeededMarket,
  start: number,
  context: VenueContext,
): VenueProtocol {
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
}

function speakReplay(
  venue: Venue,
  messages: readonly DueMessage[],
  start: number,
  context: VenueContext,
): VenueProtocol {
  const { channels, sent, withholds } = context
  const shared = { messages, start, sent, withholds }
  if (venue === 'binance') {
    const publish = (stream: string, raw: string): boolean => publishEvent(context, stream, raw)
    return new BinanceProtocol(context, new ReplayFeed({ ...shared, publish }))
  }
  const recorded = new Set(messages.map(({ channel }) => channel))
  const publish = (channel: string, raw: string): boolean => channels.publish(channel, raw)
  return new DeribitProtocol({
    context,
    feed: new ReplayFeed({ ...shared, publish }),
    // The recording's own channels, `raw` ones too; there is nothing to send for any other.
    accepts: (channel) => recorded.has(channel),
  })
}
