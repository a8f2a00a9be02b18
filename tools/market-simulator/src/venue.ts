import type { FastifyInstance } from 'fastify'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { Channels } from './channels.ts'
import type { Connections } from './connections.ts'
import type { Feed, TradeFilter } from './feed.ts'
import type { Market } from './market/market.ts'
import type { SentTrades } from './sent-trades.ts'

/** What a venue's protocol runs on. */
export interface VenueContext {
  readonly market: Market
  readonly channels: Channels
  readonly connections: Connections
  readonly sent: SentTrades
  readonly withholds: TradeFilter
  /** Puts all due trades on the sockets and returns the venue's time. */
  readonly flush: () => number
  /** The venue's time, milliseconds since the epoch. */
  readonly now: () => number
  /** Milliseconds of real time that grow steadily: for limits, which no venue scales. */
  readonly realTime: () => number
  /** Real milliseconds of one second of the protocol's keep-alive; tests shorten it. */
  readonly protocolSecondMs: number
  /** Whether the venue's request limits apply. */
  readonly limits: boolean
}

/** One venue's protocol: its sockets, its REST interface and its frames. */
export interface VenueProtocol {
  readonly feed: Feed
  /** Whether a WebSocket at this path belongs to the venue. */
  speaksAt(path: string): boolean
  /** Whether another socket is allowed; false is answered with HTTP 429. */
  mayConnect(): boolean
  accept(socket: WebSocket, transport: Duplex, url: URL): void
  routes(app: FastifyInstance): void
}
