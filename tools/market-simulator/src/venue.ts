import type { FastifyInstance } from 'fastify'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { Channels } from './channels.ts'
import type { Connections } from './connections.ts'
import type { Feed, TradeFilter } from './feed.ts'
import type { Instrument } from './market/instrument.ts'
import type { Market } from './market/market.ts'
import type { SeededMarket } from './market/seeded-market.ts'
import type { Venue } from './market/venue-name.ts'
import type { DueMessage, ReadMessage } from './replay/recording.ts'
import type { SentTrades } from './sent-trades.ts'

/** What a venue's protocol runs on. */
export interface VenueContext {
  readonly market: Market
  readonly channels: Channels
  readonly connections: Connections
  readonly sent: SentTrades
  readonly withholds: TradeFilter
  /** Whether a fault makes the venue refuse subscriptions to the instrument. */
  readonly refuses: (instrument: string) => boolean
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

/** A venue that the simulator can be: its market, where it listens and how it speaks. */
export interface SimulatedVenue {
  readonly name: Venue
  /** The markets of a simulator that is not told otherwise. */
  readonly instruments: readonly Instrument[]
  /** Behind the simulator's host: what a client takes as the venue's own addresses. */
  readonly wsPath: string
  readonly restPath: string
  /** The market as the venue tells of it; absent where that is the seeded one. */
  told?(market: SeededMarket): Market
  /** @param start where the venue's clock begins, milliseconds since the epoch */
  speakSeeded(market: SeededMarket, start: number, context: VenueContext): VenueProtocol
  /** Absent where the simulator knows no recordings of the venue. */
  readonly replay?: VenueReplay
}

export interface VenueReplay {
  readonly readMessage: ReadMessage
  /** What an instrument's name tells of it; a recording brings no more. */
  instrument(name: string): Instrument
  /** @param messages those of this venue, in file order */
  speak(messages: readonly DueMessage[], start: number, context: VenueContext): VenueProtocol
}
