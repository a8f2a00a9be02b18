import type { FastifyInstance } from 'fastify'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { Feed } from '../feed.ts'
import type { VenueContext, VenueProtocol } from '../venue.ts'
import { openSession } from '../venue-session.ts'
import type { BinanceMarket } from './binance-market.ts'
import { binanceRoutes } from './binance-rest.ts'
import { BinanceSession, rawChannel } from './binance-session.ts'
import { rawEvent } from './binance-text.ts'

/** One of Binance's markets: streams at /stream and /ws, REST under /api/v3, or what the market has. */
export class BinanceProtocol implements VenueProtocol {
  readonly feed: Feed
  readonly #context: VenueContext
  readonly #market: BinanceMarket

  constructor(market: BinanceMarket, context: VenueContext, feed: Feed) {
    this.feed = feed
    this.#market = market
    this.#context = context
  }

  speaksAt(path: string): boolean {
    return this.#isCombined(path) || this.#rawStreams(path) !== undefined
  }

  mayConnect(): boolean {
    return true
  }

  accept(socket: WebSocket, transport: Duplex, url: URL): void {
    const context = this.#context
    const combined = this.#isCombined(url.pathname)
    const listed = combined ? url.searchParams.get('streams') : this.#rawStreams(url.pathname)
    const streams = (listed ?? '').split('/').filter((stream) => stream !== '')
    const session = openSession(
      context,
      this.#market.venue,
      { socket, transport },
      (connection) =>
        new BinanceSession(
          { binance: this.#market, connection, context, feed: this.feed, combined },
          streams,
        ),
    )
    socket.on('ping', () => session.countMessage())
    socket.on('pong', () => {
      session.countMessage()
      session.pong()
    })
  }

  routes(app: FastifyInstance): void {
    binanceRoutes(app, this.#market, this.#context)
  }

  #isCombined(path: string): boolean {
    const { prefix, streamPaths } = this.#market
    return streamPaths.some((each) => path === `${prefix}${each}`)
  }

  /** Streams in the path behind /ws; undefined at another path. */
  #rawStreams(path: string): string | undefined {
    const { prefix, streamPaths } = this.#market
    for (const each of streamPaths) {
      const raw = `${prefix}${each.replace(/stream$/, 'ws')}`
      if (path === raw) return ''
      if (path.startsWith(`${raw}/`)) return path.slice(raw.length + 1)
    }
    return undefined
  }
}

/** What a stream carries. */
export interface TradeStream {
  readonly symbol: string
  readonly kind: 'trade' | 'aggTrade'
}

/** Reads `btcusdt@trade` or `btcusdt@aggTrade`; undefined for any other kind of stream. */
export function readTradeStream(stream: string): TradeStream | undefined {
  const [, symbol = '', kind] = /^([a-z0-9_]+)@(trade|aggTrade)$/.exec(stream) ?? []
  if (kind !== 'trade' && kind !== 'aggTrade') return undefined
  return { symbol: symbol.toUpperCase(), kind }
}

/**
 * Sends one combined frame to the stream's subscribers, to those at /ws without its wrapper.
 *
 * @returns whether there is any subscriber
 */
export function publishEvent(context: VenueContext, stream: string, combined: string): boolean {
  const heard = context.channels.publish(stream, combined)
  const raw = rawChannel(stream)
  if (!context.channels.has(raw)) return heard
  return context.channels.publish(raw, rawEvent(combined)) || heard
}
