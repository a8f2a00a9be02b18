import type { FastifyInstance } from 'fastify'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { Feed } from '../feed.ts'
import type { VenueContext, VenueProtocol } from '../venue.ts'
import { openSession } from '../venue-session.ts'
import { binanceRoutes } from './binance-rest.ts'
import { BinanceSession, rawChannel } from './binance-session.ts'
import { rawEvent } from './binance-text.ts'

/** Binance spot: streams at /stream and /ws, REST under /api/v3. */
export class BinanceProtocol implements VenueProtocol {
  readonly feed: Feed
  readonly #context: VenueContext

  constructor(context: VenueContext, feed: Feed) {
    this.feed = feed
    this.#context = context
  }

  speaksAt(path: string): boolean {
    return path === '/stream' || path === '/ws' || path.startsWith('/ws/')
  }

  mayConnect(): boolean {
    return true
  }

  accept(socket: WebSocket, transport: Duplex, url: URL): void {
    const context = this.#context
    const combined = url.pathname === '/stream'
    const listed = combined ? url.searchParams.get('streams') : url.pathname.slice('/ws/'.length)
    const streams = (listed ?? '').split('/').filter((stream) => stream !== '')
    const session = openSession(
      context,
      'binance',
      { socket, transport },
      (connection) =>
        new BinanceSession({ connection, context, feed: this.feed, combined }, streams),
    )
    socket.on('ping', () => session.countMessage())
    socket.on('pong', () => {
      session.countMessage()
      session.pong()
    })
  }

  routes(app: FastifyInstance): void {
    binanceRoutes(app, this.#context)
  }
}

/** The instrument behind `btcusdt@trade`; undefined for any other kind of stream. */
export function tradeStreamSymbol(stream: string): string | undefined {
  const match = /^([a-z0-9]+)@trade$/.exec(stream)
  return match?.[1]?.toUpperCase()
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
