import type { FastifyInstance } from 'fastify'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { CreditPool } from '../credit-pool.ts'
import type { Feed } from '../feed.ts'
import type { VenueContext, VenueProtocol } from '../venue.ts'
import { openSession } from '../venue-session.ts'
import type { BybitMarket } from './bybit-market.ts'
import { bybitRoutes } from './bybit-rest.ts'
import { BybitSession } from './bybit-session.ts'

/** Of an address, in five minutes. */
const connectionsIn5Minutes = 500

export interface BybitProtocolOptions {
  readonly market: BybitMarket
  readonly context: VenueContext
  readonly feed: Feed
  readonly wsPath: string
  readonly restPath: string
}

/** One of Bybit's markets: a public WebSocket, and REST under /v5/market. */
export class BybitProtocol implements VenueProtocol {
  readonly feed: Feed
  readonly #options: BybitProtocolOptions
  readonly #connections: CreditPool

  constructor(options: BybitProtocolOptions) {
    this.feed = options.feed
    this.#options = options
    this.#connections = new CreditPool({
      capacity: connectionsIn5Minutes,
      refillPerSecond: connectionsIn5Minutes / 300,
      realTime: options.context.realTime,
    })
  }

  speaksAt(path: string): boolean {
    return path === this.#options.wsPath
  }

  mayConnect(): boolean {
    return !this.#options.context.limits || this.#connections.take(1)
  }

  accept(socket: WebSocket, transport: Duplex): void {
    const { context, feed, market } = this.#options
    openSession(
      context,
      market.venue,
      { socket, transport },
      (connection) => new BybitSession({ connection, context, feed }),
    )
  }

  routes(app: FastifyInstance): void {
    const { context, market, restPath } = this.#options
    bybitRoutes(app, restPath, market, context)
  }
}
