import type { FastifyInstance } from 'fastify'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { CreditPool } from '../credit-pool.ts'
import type { Feed } from '../feed.ts'
import type { VenueContext, VenueProtocol } from '../venue.ts'
import { openSession } from '../venue-session.ts'
import { okxRoutes } from './okx-rest.ts'
import { type OkxChannel, OkxSession } from './okx-session.ts'

const connectionsPerSecond = 3

const channels: Readonly<Record<string, OkxChannel>> = {
  '/okx/ws/v5/business': 'trades-all',
  '/okx/ws/v5/public': 'trades',
}

/** Where the simulated OKX has every trade by itself. */
export const okxWsPath = '/okx/ws/v5/business'

/** OKX: every trade at /ws/v5/business, aggregates at /ws/v5/public, REST under /api/v5. */
export class OkxProtocol implements VenueProtocol {
  readonly feed: Feed
  readonly #context: VenueContext
  readonly #connections: CreditPool

  constructor(context: VenueContext, feed: Feed) {
    this.feed = feed
    this.#context = context
    this.#connections = new CreditPool({
      capacity: connectionsPerSecond,
      refillPerSecond: connectionsPerSecond,
      realTime: context.realTime,
    })
  }

  speaksAt(path: string): boolean {
    return path in channels
  }

  mayConnect(): boolean {
    return !this.#context.limits || this.#connections.take(1)
  }

  accept(socket: WebSocket, transport: Duplex, url: URL): void {
    const channel = channels[url.pathname] ?? 'trades-all'
    const context = this.#context
    openSession(
      context,
      'okx',
      { socket, transport },
      (connection) => new OkxSession({ connection, context, feed: this.feed, channel }),
    )
  }

  routes(app: FastifyInstance): void {
    okxRoutes(app, this.#context)
  }
}
