import type { CloseReason } from '@tickertape/market-api'
import { Counter, Gauge, Histogram } from '@tickertape/service-runtime'
import type { ServiceContext } from '@tickertape/service-runtime'

/** Everything that happens on the stream and that somebody outside should know of. */
export type StreamEvents = ReturnType<typeof createStreamEvents>

/** What stands now, asked at every scrape. */
export interface StreamState {
  readonly clients: number
  readonly subscriptions: number
  /** Characters of finals, trades and answers that wait, over all clients. */
  readonly outboxBytes: number
  /** The same of the client that has most. */
  readonly outboxBytesMost: number
  /** At which a client is closed. */
  readonly outboxBytesLimit: number
  readonly clientsLimit: number
  /** Bytes that sockets have not taken yet, over all clients. */
  readonly socketBytes: number
}

/** What one round of writing did. */
export interface WrittenRound {
  readonly frames: number
  readonly bytes: number
  /** Open candles and statistics that were replaced before they were sent. */
  readonly conflations: number
  /** From Kafka's append of the oldest record in it to here; undefined where nothing came of a record. */
  readonly freshnessMs: number | undefined
}

/** Why a connection ended: by a code of the protocol, or in the ordinary ways. */
export type EndReason =
  | CloseReason
  | 'byClient'
  | 'brokenOff'
  | 'messageTooLarge'
  | 'protocolError'
  | 'unknowable'
  | 'shutdown'

export type RefusedHandshake = 'path' | 'busy' | 'doorkeeper' | 'connections' | 'failed'

const freshnessSeconds = [0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 10]

export function createStreamEvents({
  logger,
  metrics,
}: Pick<ServiceContext, 'logger' | 'metrics'>) {
  const registers = [metrics]
  let state: () => StreamState = () => ({
    clients: 0,
    subscriptions: 0,
    outboxBytes: 0,
    outboxBytesMost: 0,
    outboxBytesLimit: 0,
    clientsLimit: 0,
    socketBytes: 0,
  })
  gauge('gateway_stream_clients', 'Connected WebSocket clients', (now) => now.clients)
  gauge('gateway_stream_subscriptions', 'Subscriptions of all clients', (now) => now.subscriptions)
  gauge(
    'gateway_stream_outbox_bytes',
    'Finals, trades and answers that wait for slow clients',
    (now) => now.outboxBytes,
  )
  gauge(
    'gateway_stream_outbox_bytes_most',
    'Finals, trades and answers that wait for the slowest client',
    (now) => now.outboxBytesMost,
  )
  gauge(
    'gateway_stream_outbox_bytes_limit',
    'What may wait for one client before it is closed (GATEWAY_STREAM_OUTBOX_BYTES)',
    (now) => now.outboxBytesLimit,
  )
  gauge(
    'gateway_stream_clients_limit',
    'Most WebSocket clients at a time (GATEWAY_STREAM_CONNECTIONS)',
    (now) => now.clientsLimit,
  )
  gauge(
    'gateway_stream_socket_bytes',
    'Bytes written that sockets have not taken yet',
    (now) => now.socketBytes,
  )
  const opened = counter('gateway_stream_connections_total', 'Connections opened')
  const closes = new Counter({
    name: 'gateway_stream_closes_total',
    help: 'Connections ended, by reason',
    labelNames: ['reason'],
    registers,
  })
  const refusals = new Counter({
    name: 'gateway_stream_refused_handshakes_total',
    help: 'Handshakes that were not completed or closed at once, by what refused them',
    labelNames: ['by'],
    registers,
  })
  const frames = counter('gateway_stream_frames_total', 'Frames written')
  const bytes = counter('gateway_stream_bytes_total', 'Characters of the frames written')
  const conflations = counter(
    'gateway_stream_conflations_total',
    'Open candles and statistics that a newer one replaced before they were sent',
  )
  const invalid = counter(
    'gateway_stream_invalid_messages_total',
    'Messages of clients that are not of the protocol',
  )
  const resets = new Counter({
    name: 'gateway_stream_resumes_total',
    help: 'Subscriptions that asked to go on from a position, by what they got',
    labelNames: ['result'],
    registers,
  })
  const freshness = new Histogram({
    name: 'gateway_stream_freshness_seconds',
    help: "From Kafka's append of a record to the sockets of all clients that it concerns",
    buckets: freshnessSeconds,
    registers,
  })

  const presence = new Gauge({
    name: 'gateway_presence_up',
    help: '1 if the count of clients was told to the database the last time it was due',
    registers,
  })

  /** Asked at every scrape. */
  function gauge(name: string, help: string, of: (now: StreamState) => number): Gauge {
    return new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(of(state()))
      },
    })
  }

  function counter(name: string, help: string): Counter {
    return new Counter({ name, help, registers })
  }

  return {
    attached(stateNow: () => StreamState): void {
      state = stateNow
    },
    opened(client: string, caller: string): void {
      opened.inc()
      logger.debug({ client, caller }, 'stream client connected')
    },
    ended(client: string, caller: string, reason: EndReason): void {
      closes.inc({ reason })
      logger.debug({ client, caller, reason }, 'stream client gone')
    },
    refused(by: RefusedHandshake, address: string | undefined): void {
      refusals.inc({ by })
      logger.debug({ by, address }, 'stream handshake refused')
    },
    handshakeFailed(error: unknown): void {
      refusals.inc({ by: 'failed' })
      logger.error(
        { err: error },
        'a stream handshake could not be decided: it was answered by 503',
      )
    },
    wrote(round: WrittenRound): void {
      frames.inc(round.frames)
      bytes.inc(round.bytes)
      conflations.inc(round.conflations)
      // The broker's clock may be ahead of ours.
      if (round.freshnessMs !== undefined) freshness.observe(Math.max(0, round.freshnessMs) / 1_000)
    },
    invalidMessage(client: string, problem: string): void {
      invalid.inc()
      logger.debug({ client, problem }, 'stream message refused')
    },
    resumed(result: 'resumed' | 'position_too_old' | 'position_unknown'): void {
      resets.inc({ result })
    },
    draining(clients: number): void {
      if (clients > 0) logger.info({ clients }, 'closing the streams of all clients')
    },
    presenceTold(clients: number): void {
      presence.set(1)
      logger.trace({ clients }, 'clients told to the database')
    },
    presenceFailed(error: unknown): void {
      presence.set(0)
      logger.warn(
        { err: error },
        'the count of clients could not be told to the database: trying on',
      )
    },
  }
}
