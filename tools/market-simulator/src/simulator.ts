import Fastify, { type FastifyInstance } from 'fastify'
import { STATUS_CODES, type Server } from 'node:http'
import { WebSocketServer } from 'ws'
import { Channels } from './channels.ts'
import { Connections } from './connections.ts'
import { controlRoutes } from './control.ts'
import type { Feed } from './feed.ts'
import type { TurnedAway } from './faults/fault.ts'
import { createFaults, type Faults } from './faults/index.ts'
import type { Instrument } from './market/instrument.ts'
import type { Market } from './market/market.ts'
import { type Venue, venueNames } from './market/venue-name.ts'
import { Pump } from './pump.ts'
import { SentTrades } from './sent-trades.ts'
import { type ClockSpeed, VenueClock } from './venue-clock.ts'
import type { VenueProtocol } from './venue.ts'
import { replayStage, seededStage, type Stage } from './stage.ts'
import { swapInstrumentsAt } from './swaps/swaps-venue.ts'
import { defaultInstruments, venues } from './venues.ts'

export interface SimulatorOptions {
  /** 0, the default, takes any free port. */
  readonly port?: number
  /** All by default. */
  readonly venues?: readonly Venue[]
  readonly instruments?: readonly Instrument[]
  /** The same seed gives the same market for ever. */
  readonly seed?: string
  /** Scales the number of trades; 1 is about 200 a second at Deribit and Binance. */
  readonly rate?: number
  /** Token swaps that begin in a minute, over all pairs, at rate 1; 1,000 by default. */
  readonly swapsPerMinute?: number
  readonly speed?: ClockSpeed
  /** The clock's speed once trading has ended; a minute a second after `max`. */
  readonly speedAfterEnd?: number
  /** Milliseconds since the epoch at which the venue's clock begins; now by default. */
  readonly start?: number
  /**
   * A recording (.jsonl.gz) to send in place of the seeded market: its venues, instruments and
   * times are then those of the file, and the clock starts a second before its first message.
   */
  readonly replay?: string
  /** Venue time of the last possible trade of a seeded market; the clock goes on beyond it. */
  readonly end?: number
  /** The clock stands still until POST /control/start. */
  readonly hold?: boolean
  /** Whether the venues' request limits apply; true by default. */
  readonly limits?: boolean
  /** Real milliseconds of one second of the protocols' keep-alive: 1000, less in tests. */
  readonly protocolSecondMs?: number
}

export interface RunningSimulator extends AsyncDisposable {
  readonly port: number
  /** What a client takes as the address of the venue's WebSocket. */
  wsUrl(venue: Venue): string
  /** What a client takes as the address of the venue's REST interface. */
  restUrl(venue: Venue): string
  readonly deribitWsUrl: string
  readonly deribitRestUrl: string
  readonly binanceWsUrl: string
  readonly binanceRestUrl: string
  readonly controlUrl: string
  /** The ground truth, by venue. */
  readonly markets: ReadonlyMap<Venue, Market>
  /** Lets a held clock go, as POST /control/start does. */
  release(): void
}

/** Bytes that a subscriber may have unsent before a clock at speed `max` waits for it. */
const highWaterBytes = 4 * 1024 * 1024

const speedAfterMax = 60

/**
 * Starts one server on 127.0.0.1 for all venues and the control.
 *
 * @throws RecordingError if the file to replay is no recording of trades.
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<RunningSimulator> {
  const realTime = (): number => performance.now()
  const speed = options.speed ?? 1
  const stage = await setStage(options)
  const clock = new VenueClock({
    start: stage.start,
    speed,
    held: options.hold ?? false,
    end: stage.end,
    speedAfterEnd: options.speedAfterEnd ?? (speed === 'max' ? speedAfterMax : speed),
    realTime,
  })
  const markets = stage.acts.map(({ market }) => market)
  const connections = new Connections()
  const feeds: Feed[] = []
  const pump = new Pump({
    clock,
    feeds,
    subscribers: () => connections.subscribers(highWaterBytes),
    realTime,
    end: stage.end,
  })
  const flush = (): number => {
    const now = pump.flush()
    connections.flush()
    return now
  }
  const faults = createFaults({ connections, markets, flush })
  const sent = new Map<Venue, SentTrades>()
  const protocols = stage.acts.map(({ market: { venue }, market, speak }) => {
    const sentTrades = new SentTrades()
    sent.set(venue, sentTrades)
    return speak({
      market,
      channels: new Channels(venue, faults.filterFrames),
      connections,
      sent: sentTrades,
      withholds: (instrument, sequence) => faults.withholds(venue, instrument, sequence),
      refuses: (instrument) => faults.refuses(instrument),
      flush,
      now: () => clock.now(),
      realTime,
      protocolSecondMs: options.protocolSecondMs ?? 1000,
      limits: options.limits ?? true,
    })
  })
  feeds.push(...protocols.map(({ feed }) => feed))

  const app = Fastify({ forceCloseConnections: true })
  turnRequestsAway(app, faults)
  for (const protocol of protocols) protocol.routes(app)
  controlRoutes(app, {
    clock,
    connections,
    faults,
    markets,
    sent,
    end: stage.end,
    finished: () => pump.finished,
  })
  const sockets = serveSockets(app.server, protocols, faults)
  await app.listen({ host: '127.0.0.1', port: options.port ?? 0 })
  pump.start()
  return {
    ...addresses(app),
    markets: new Map(markets.map((market) => [market.venue, market])),
    release: () => clock.release(),
    async [Symbol.asyncDispose]() {
      pump.stop()
      for (const connection of connections.all()) connection.terminate()
      sockets.close()
      await app.close()
    },
  }
}

async function setStage(options: SimulatorOptions): Promise<Stage> {
  if (options.replay === undefined) {
    return seededStage({
      venues: options.venues ?? venueNames,
      instruments: options.instruments ?? listedInstruments(options.swapsPerMinute),
      seed: options.seed ?? 'tickertape',
      rate: options.rate ?? 1,
      start: options.start ?? Date.now(),
      end: options.end,
    })
  }
  return replayStage(options.replay, options.start)
}

function listedInstruments(swapsPerMinute: number | undefined): readonly Instrument[] {
  if (swapsPerMinute === undefined) return defaultInstruments
  const others = defaultInstruments.filter(({ venue }) => venue !== 'swaps')
  return [...others, ...swapInstrumentsAt(swapsPerMinute)]
}

/** What a fault turns away is no request for the protocols; the control goes on. */
function turnRequestsAway(app: FastifyInstance, faults: Faults): void {
  app.addHook('onRequest', (request, reply, next) => {
    const answer = request.url.startsWith('/control') ? undefined : faults.turnsAway('request')
    if (answer === undefined) {
      next()
      return
    }
    if (answer.retryAfter !== undefined) reply.header('retry-after', answer.retryAfter)
    void reply.code(answer.status).type('application/json').send(answer.body)
  })
}

function serveSockets(
  server: Server,
  protocols: readonly VenueProtocol[],
  faults: Faults,
): WebSocketServer {
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false })
  server.on('upgrade', (request, socket, head) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1')
    const protocol = protocols.find((each) => each.speaksAt(url.pathname))
    const answer = protocol === undefined ? unknownPath : faults.turnsAway('connect')
    if (protocol === undefined || answer !== undefined || !protocol.mayConnect()) {
      socket.end(refusal(answer ?? tooManyConnections))
      return
    }
    sockets.handleUpgrade(request, socket, head, (accepted) =>
      protocol.accept(accepted, socket, url),
    )
  })
  return sockets
}

const unknownPath: TurnedAway = { status: 404, body: '' }

const tooManyConnections: TurnedAway = { status: 429, body: '' }

function refusal({ body, retryAfter, status }: TurnedAway): string {
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}`,
    'Connection: close',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(retryAfter === undefined ? [] : [`Retry-After: ${retryAfter}`]),
    '',
    body,
  ].join('\r\n')
}

type Addresses = Omit<RunningSimulator, 'markets' | 'release' | typeof Symbol.asyncDispose>

function addresses(app: FastifyInstance): Addresses {
  const address = app.server.address()
  // A string is the path of a pipe, and null means that nothing listens.
  if (address === null || typeof address === 'string') {
    throw new Error('The simulator listens on no TCP port')
  }
  const { port } = address
  const host = `127.0.0.1:${port}`
  const wsUrl = (venue: Venue): string => `ws://${host}${venues[venue].wsPath}`
  const restUrl = (venue: Venue): string => `http://${host}${venues[venue].restPath}`
  return {
    port,
    wsUrl,
    restUrl,
    deribitWsUrl: wsUrl('deribit'),
    deribitRestUrl: restUrl('deribit'),
    binanceWsUrl: wsUrl('binance'),
    binanceRestUrl: restUrl('binance'),
    controlUrl: `http://${host}/control`,
  }
}
