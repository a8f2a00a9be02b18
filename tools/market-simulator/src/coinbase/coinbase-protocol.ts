import type { FastifyInstance } from 'fastify'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { Connection } from '../connection.ts'
import { CreditPool } from '../credit-pool.ts'
import type { Feed } from '../feed.ts'
import type { VenueContext, VenueProtocol } from '../venue.ts'
import { openSession, type VenueSession } from '../venue-session.ts'
import type { CoinbaseVenue } from './coinbase-instruments.ts'
import { coinbaseRoutes } from './coinbase-rest.ts'

/** For an address: https://docs.cdp.coinbase.com/exchange, "WebSocket Rate Limits". */
const connections = { capacity: 20, refillPerSecond: 8 }

export interface CoinbaseProtocolOptions {
  readonly venue: CoinbaseVenue
  readonly wsPath: string
  readonly restPath: string
  readonly context: VenueContext
  readonly feed: Feed
  readonly converse: (connection: Connection) => VenueSession
}

/** One of Coinbase's WebSockets, with the REST interface that both share beside it. */
export class CoinbaseProtocol implements VenueProtocol {
  readonly feed: Feed
  readonly #options: CoinbaseProtocolOptions
  readonly #connections: CreditPool

  constructor(options: CoinbaseProtocolOptions) {
    this.feed = options.feed
    this.#options = options
    this.#connections = new CreditPool({ ...connections, realTime: options.context.realTime })
  }

  speaksAt(path: string): boolean {
    return path === this.#options.wsPath
  }

  mayConnect(): boolean {
    return !this.#options.context.limits || this.#connections.take(1)
  }

  accept(socket: WebSocket, transport: Duplex): void {
    const { context, converse, venue } = this.#options
    openSession(context, venue, { socket, transport }, converse)
  }

  routes(app: FastifyInstance): void {
    coinbaseRoutes(app, this.#options.restPath, this.#options.context)
  }
}
