import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'

import { closeCodes, streamSubprotocol } from '@tickertape/market-api'
import { WebSocketServer } from 'ws'
import type { WebSocket } from 'ws'

import { noTracing } from '@tickertape/tracing'
import type { SpanContext, Tracing } from '@tickertape/tracing'

import type { Caller, Doorkeeper, Refusal } from '../admission.ts'
import type { MarketUpdate, MarketView } from '../market-view.ts'
import { positionText } from '../position-text.ts'
import { forbidden } from '../protection/doorkeeper.ts'
import { ConnectionCounts } from './connection-counts.ts'
import type { StreamEvents, StreamState } from './events.ts'
import { fanOut } from './fan-out.ts'
import { admitInTime, pathOf, refusal, refuseUpgrade, streamPath } from './handshake.ts'
import { MarketIndex } from './market-index.ts'
import { Rounds } from './rounds.ts'
import { SendTraces } from './send-traces.ts'
import type { StreamOptions } from './settings.ts'
import { StreamClient } from './stream-client.ts'
import { Subscriptions } from './subscriptions.ts'
import { Turns } from './turns.ts'

/** How long clients may take to answer the close of a gateway that ends, in ms. */
const drainMs = 3_000

export interface StreamParts {
  readonly view: MarketView
  readonly doorkeeper: Doorkeeper
  readonly options: StreamOptions
  /** None unless given. */
  readonly tracing?: Tracing
}

export interface AttachedStream extends AsyncDisposable {
  /** Connected clients. */
  readonly clients: number
}

/**
 * Serves `/v1/stream` on an HTTP server, which somebody else listens with. Upgrades of other paths are
 * answered by 404. Disposing it closes all clients with 1001, each behind a last cursor where it could be written.
 */
export function attachStream(
  server: Server,
  parts: StreamParts,
  events: StreamEvents,
): AttachedStream {
  return new Stream(server, parts, events)
}

class Stream implements AttachedStream {
  readonly #server: Server
  readonly #parts: StreamParts
  readonly #events: StreamEvents
  readonly #sockets: WebSocketServer
  readonly #index = new MarketIndex<StreamClient>()
  readonly #clients = new Set<StreamClient>()
  readonly #counts: ConnectionCounts
  readonly #rounds: Rounds
  readonly #turns = new Turns()
  readonly #traces: SendTraces
  readonly #disposing = new DisposableStack()
  /** Handshakes that are being decided. */
  #pending = 0
  #isEnding = false
  #touched: StreamClient[] = []
  #conflations = 0
  /** When Kafka took the oldest record that the next round tells of, in ms since the epoch. */
  #oldestAppend: number | undefined
  #connections = 0
  /** What the doorkeeper puts on the answers to handshakes. */
  readonly #answerHeaders = new WeakMap<IncomingMessage, Readonly<Record<string, string>>>()
  /** Resolves with the last client of a stream that ends. */
  readonly #gone = Promise.withResolvers<void>()

  constructor(server: Server, parts: StreamParts, events: StreamEvents) {
    const { options, view, tracing = noTracing } = parts
    this.#server = server
    this.#traces = new SendTraces(tracing)
    this.#parts = parts
    this.#events = events
    this.#counts = new ConnectionCounts(options.limits)
    this.#rounds = new Rounds(options.flushMs, () => this.#round())
    this.#sockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: options.limits.messageBytes,
      perMessageDeflate: options.compression,
      // A second one that carries a key or token is never chosen.
      handleProtocols: (offered) => (offered.has(streamSubprotocol) ? streamSubprotocol : false),
    })
    this.#sockets.on('headers', (headers, request) => {
      const own = this.#answerHeaders.get(request) ?? {}
      for (const [name, value] of Object.entries(own)) headers.push(`${name}: ${value}`)
    })
    server.on('upgrade', this.#onUpgrade)
    this.#disposing.use(
      view.listen((updates, appendedAt, sampled) => this.#take(updates, appendedAt, sampled)),
    )
    this.#disposing.use(view.onReset(() => this.#closeAll('streamReset')))
    const watching = setInterval(() => this.#watch(), watchMs(options))
    this.#disposing.defer(() => clearInterval(watching))
    this.#disposing.use(this.#rounds)
    this.#disposing.use(this.#turns)
    events.attached(() => this.#state())
  }

  get clients(): number {
    return this.#clients.size
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true
    this.#server.off('upgrade', this.#onUpgrade)
    this.#events.draining(this.#clients.size)
    // The last round: each gets what waits for it and, however new the one before is, a cursor behind that.
    for (const client of this.#clients) this.#touch(client)
    this.#round(Number.POSITIVE_INFINITY)
    this.#closeAll('shutdown')
    this.#disposing.dispose()
    await this.#allGone(drainMs)
    this.#events.attached(() => this.#state())
  }

  readonly #onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    // Until the WebSocket has it, an error of the connection is nobody else's.
    const onError = (): void => void socket.destroy()
    socket.on('error', onError)
    this.#pending += 1
    this.#decide(request, socket, head)
      .catch((error: unknown) => {
        this.#events.handshakeFailed(error)
        refuseUpgrade(socket, refusal(503, 'The gateway could not decide on the connection'))
      })
      .finally(() => {
        this.#pending -= 1
        socket.off('error', onError)
      })
  }

  async #decide(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { doorkeeper, options } = this.#parts
    const address = request.socket.remoteAddress
    if (pathOf(request) !== streamPath) {
      this.#events.refused('path', address)
      const detail = `There is no WebSocket here: it is at ${streamPath}`
      refuseUpgrade(socket, { status: 404, code: 'not_found', detail, headers: {} })
      return
    }
    if (this.#clients.size + this.#pending > options.limits.connections) {
      this.#events.refused('busy', address)
      refuseUpgrade(socket, refusal(503, 'The gateway has as many connections as it may have'))
      return
    }
    const admission = await admitInTime(doorkeeper, request, options.handshakeMs)
    if (socket.destroyed) return
    if (!admission.admitted) {
      this.#events.refused('doorkeeper', address)
      this.#refuse(request, socket, head, admission.refusal)
    } else if (this.#isEnding) {
      refuseUpgrade(socket, refusal(503, 'The gateway ends: come again'))
    } else if (!admission.caller.scopes.includes('read')) {
      this.#events.refused('doorkeeper', address)
      const detail = `The stream needs the scope read, which the ${admission.caller.kind} lacks`
      refuseUpgrade(socket, forbidden(detail, 'read'))
    } else {
      this.#answerHeaders.set(request, admission.headers)
      this.#upgrade(request, socket, head, (connection) => this.#open(connection, admission.caller))
    }
  }

  /** A page in a browser cannot see the status of a handshake: it gets the reason as a close code. */
  #refuse(request: IncomingMessage, socket: Duplex, head: Buffer, refused: Refusal): void {
    if (refused.status === 401 && request.headers.origin !== undefined) {
      this.#upgrade(request, socket, head, (connection) =>
        closeAtOnce(connection, 'unauthenticated', refused.detail),
      )
    } else {
      refuseUpgrade(socket, refused)
    }
  }

  #upgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    open: (connection: WebSocket) => void,
  ): void {
    this.#sockets.handleUpgrade(request, socket, head, open)
  }

  #open(connection: WebSocket, caller: Caller): void {
    if (!this.#counts.add(caller)) {
      this.#events.refused('connections', caller.address)
      closeAtOnce(
        connection,
        'tooManyConnections',
        'more connections than one address or key may have',
      )
      return
    }
    const { view, options } = this.#parts
    const events = this.#events
    this.#connections += 1
    const name = `c${this.#connections}`
    const client = new StreamClient(
      connection,
      {
        name,
        caller,
        options,
        events,
        touch: (touched) => this.#touch(touched),
        onEnd: (ended) => this.#onEnd(ended),
        subscriptionsOf: (receiver) =>
          new Subscriptions({
            view,
            index: this.#index,
            receiver,
            limits: options.limits,
            onResume: (result) => events.resumed(result),
            callTurn: () => this.#turns.call(receiver),
          }),
      },
      performance.now(),
    )
    this.#clients.add(client)
    events.opened(name, caller.name)
  }

  #onEnd(client: StreamClient): void {
    if (!this.#clients.delete(client)) return
    this.#counts.remove(client.caller)
    if (this.#isEnding && this.#clients.size === 0) this.#gone.resolve()
  }

  #take(
    updates: readonly MarketUpdate[],
    appendedAt: number | undefined,
    sampled: ReadonlyMap<MarketUpdate, SpanContext> | undefined,
  ): void {
    const before = this.#touched.length
    const touched = (client: StreamClient): void => this.#touch(client)
    this.#conflations += fanOut(this.#index, updates, touched, this.#traces.of(sampled))
    if (appendedAt !== undefined && this.#touched.length > before) {
      this.#oldestAppend = Math.min(this.#oldestAppend ?? appendedAt, appendedAt)
    }
  }

  #touch(client: StreamClient): void {
    if (client.isTouched) return
    client.isTouched = true
    this.#touched.push(client)
    this.#rounds.call()
  }

  #round(now = performance.now()): void {
    const clients = this.#touched
    this.#touched = []
    const cursor = positionText(this.#parts.view.position())
    const written = { frames: 0, bytes: 0 }
    for (const client of clients) {
      client.isTouched = false
      client.write(now, cursor, written)
    }
    const freshnessMs =
      this.#oldestAppend === undefined ? undefined : Date.now() - this.#oldestAppend
    this.#events.wrote({ ...written, conflations: this.#conflations, freshnessMs })
    this.#conflations = 0
    this.#oldestAppend = undefined
  }

  #watch(): void {
    const [now, wallClock] = [performance.now(), Date.now()]
    const { doorkeeper, view } = this.#parts
    const cursor = positionText(view.position())
    for (const client of this.#clients) {
      const { caller } = client
      const isOver = caller.expiresAt !== null && caller.expiresAt <= wallClock
      const standing = isOver ? 'ended' : doorkeeper.stands(caller)
      if (standing === 'ended') client.close('unauthenticated')
      else if (standing === 'unknowable') client.close('unknowable')
      client.watch(now, wallClock)
      if (client.isCursorDue(now, cursor)) this.#touch(client)
    }
  }

  #closeAll(reason: 'streamReset' | 'shutdown'): void {
    for (const client of this.#clients) client.close(reason)
  }

  async #allGone(withinMs: number): Promise<void> {
    if (this.#clients.size === 0) return
    const timer = setTimeout(() => this.#gone.resolve(), withinMs)
    await this.#gone.promise
    clearTimeout(timer)
  }

  #state(): StreamState {
    const { options } = this.#parts
    let [subscriptions, outboxBytes, outboxBytesMost, socketBytes] = [0, 0, 0, 0]
    for (const client of this.#clients) {
      subscriptions += client.subscriptions.size
      outboxBytes += client.outbox.bytes
      outboxBytesMost = Math.max(outboxBytesMost, client.outbox.bytes)
      socketBytes += client.unsentBytes
    }
    return {
      clients: this.#clients.size,
      clientsLimit: options.limits.connections,
      subscriptions,
      outboxBytes,
      outboxBytesMost,
      outboxBytesLimit: options.outboxBytes,
      socketBytes,
    }
  }
}

function closeAtOnce(
  connection: WebSocket,
  reason: 'unauthenticated' | 'tooManyConnections',
  detail: string,
): void {
  connection.on('error', () => undefined)
  // A close frame holds 123 bytes of reason.
  connection.close(closeCodes[reason], detail.slice(0, 100))
  setTimeout(() => connection.terminate(), drainMs).unref()
}

/** Often enough for the shortest of what is watched. */
function watchMs({
  heartbeatMs,
  pongDeadlineMs,
  writeDeadlineMs,
  cursorMs,
}: StreamOptions): number {
  const shortest = Math.min(heartbeatMs, pongDeadlineMs, writeDeadlineMs, cursorMs)
  return Math.min(1_000, Math.max(5, Math.floor(shortest / 2)))
}
