import { createServer } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'

import { serverMessage } from '@tickertape/market-api'
import type { ServerMessage, Subscribe } from '@tickertape/market-api'
import { Registry, createLogger } from '@tickertape/service-runtime'
import { waitUntil } from '@tickertape/testing'
import { noTracing } from '@tickertape/tracing'
import type { Tracing } from '@tickertape/tracing'
import { WebSocket } from 'ws'
import type { ClientOptions } from 'ws'

import type { Admission, Caller, Doorkeeper, Standing } from '../src/admission.ts'
import type { MarketView } from '../src/market-view.ts'
import { createStreamEvents } from '../src/stream/events.ts'
import type { StreamOptions } from '../src/stream/settings.ts'
import { attachStream } from '../src/stream/stream.ts'
import type { AttachedStream } from '../src/stream/stream.ts'
import { MemoryView } from '../src/stream/testing/memory-view.ts'

export const anybody: Caller = {
  name: '127.0.0.1',
  kind: 'address',
  scopes: ['read'],
  address: '127.0.0.1',
  expiresAt: null,
}

/** Lets in as a test tells. */
export class TestDoor implements Doorkeeper {
  answer: (headers: IncomingHttpHeaders) => Admission | Promise<Admission> = () => ({
    admitted: true,
    caller: anybody,
    headers: {},
  })
  standing: Standing = 'stands'

  admit({ headers }: { readonly headers: IncomingHttpHeaders }): Promise<Admission> {
    return Promise.resolve(this.answer(headers))
  }

  stands(): Standing {
    return this.standing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve()
  }
}

type Given = Partial<Omit<StreamOptions, 'limits'>> & {
  readonly limits?: Partial<StreamOptions['limits']>
  /** None unless given. */
  readonly tracing?: Tracing
}

const usual: StreamOptions = {
  instance: 'test',
  limits: {
    connections: 1_000,
    connectionsPerAddress: 1_000,
    connectionsPerCaller: 1_000,
    subscriptions: 100,
    instruments: 2_000,
    snapshotItems: 50_000,
    messageBytes: 65_536,
    messagesPerSecond: 1_000,
  },
  handshakeMs: 30_000,
  flushMs: 10,
  outboxBytes: 4 * 2 ** 20,
  socketBytes: 256 * 2 ** 10,
  // Bounds that a test means to reach are its own; these must hold on a slow machine.
  writeDeadlineMs: 120_000,
  heartbeatMs: 60_000,
  pongDeadlineMs: 120_000,
  cursorMs: 10,
  presenceMs: 60_000,
  compression: false,
}

/** A stream over real sockets, with a view that the test feeds. */
export class StreamBed<V extends MarketView> implements AsyncDisposable {
  readonly view: V
  readonly door: TestDoor
  readonly url: string
  readonly stream: AttachedStream
  readonly #metrics: Registry
  readonly #close: () => Promise<void>

  private constructor(
    bed: Pick<StreamBed<V>, 'view' | 'door' | 'url' | 'stream'>,
    metrics: Registry,
    close: () => Promise<void>,
  ) {
    this.view = bed.view
    this.door = bed.door
    this.url = bed.url
    this.stream = bed.stream
    this.#metrics = metrics
    this.#close = close
  }

  static async open(given: Given = {}): Promise<StreamBed<MemoryView>> {
    return await StreamBed.over(new MemoryView(), given)
  }

  static async over<V extends MarketView>(
    view: V,
    { tracing = noTracing, ...given }: Given = {},
  ): Promise<StreamBed<V>> {
    const metrics = new Registry()
    const events = createStreamEvents({
      logger: createLogger({ service: 'test', level: 'fatal' }),
      metrics,
    })
    const door = new TestDoor()
    const server = createServer((_request, response) => response.writeHead(404).end())
    const options = { ...usual, ...given, limits: { ...usual.limits, ...given.limits } }
    const stream = attachStream(server, { view, doorkeeper: door, options, tracing }, events)
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const close = async (): Promise<void> => {
      await stream[Symbol.asyncDispose]()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
    return new StreamBed(
      { view, door, url: `ws://127.0.0.1:${port}/v1/stream`, stream },
      metrics,
      close,
    )
  }

  /** Sum of a metric over those of its labels that hold what is given. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const metric = await this.#metrics.getSingleMetric(name)?.get()
    if (metric === undefined) throw new Error(`There is no metric ${name}`)
    return metric.values
      .filter((value) =>
        Object.entries(labels).every(([label, text]) => value.labels[label] === text),
      )
      .reduce((sum, { value }) => sum + value, 0)
  }

  async closedFor(reason: string): Promise<void> {
    await waitUntil(
      `a connection to be closed for ${reason}`,
      async () => (await this.metric('gateway_stream_closes_total', { reason })) > 0,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close()
  }
}

export interface Closed {
  readonly code: number
  readonly reason: string
}

/** A client whose every message is held against the protocol. */
export class Peer implements Disposable {
  readonly socket: WebSocket
  readonly messages: ServerMessage[] = []
  /** Of each frame, how many messages it held. */
  readonly frames: number[] = []
  closed: Closed | undefined
  #fault: unknown

  private constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('message', (data) => {
      try {
        this.#take(String(data))
      } catch (error) {
        this.#fault ??= error
      }
    })
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: String(reason) }
    })
    socket.on('error', () => undefined)
  }

  /** @throws Error if the handshake fails. */
  static async connect(
    url: string,
    options: ClientOptions & { readonly protocols?: readonly string[] } = {},
  ): Promise<Peer> {
    const { protocols = [], ...rest } = options
    const socket = new WebSocket(url, [...protocols], rest)
    const peer = new Peer(socket)
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve)
      socket.once('error', reject)
    })
    return peer
  }

  send(message: object | string): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message))
  }

  subscribe(request: Readonly<Record<string, unknown>> & Pick<Subscribe, 'id' | 'channel'>): void {
    this.send({ type: 'subscribe', ...request })
  }

  of<T extends ServerMessage['type']>(type: T): Extract<ServerMessage, { readonly type: T }>[] {
    // filter does not narrow by a type parameter.
    return this.messages.filter((message) => message.type === type) as Extract<
      ServerMessage,
      { readonly type: T }
    >[]
  }

  /** Waits for something that comes of messages. @throws what is wrong with a message. */
  async until<T>(what: string, condition: () => T | undefined | false): Promise<T> {
    return await waitUntil(
      what,
      () => {
        this.check()
        return condition()
      },
      { everyMs: 5 },
    )
  }

  async message<T extends ServerMessage['type']>(
    type: T,
  ): Promise<Extract<ServerMessage, { readonly type: T }>> {
    return await this.until(`a message ${type}`, () => this.of(type)[0])
  }

  async closing(): Promise<Closed> {
    return await this.until('the connection to be closed', () => this.closed)
  }

  check(): void {
    if (this.#fault !== undefined) throw this.#fault
  }

  [Symbol.dispose](): void {
    this.socket.terminate()
  }

  #take(frame: string): void {
    const sent: unknown = JSON.parse(frame)
    if (!Array.isArray(sent))
      throw new Error(`A frame is an array of messages, got ${frame.slice(0, 200)}`)
    this.frames.push(sent.length)
    for (const message of sent) this.messages.push(serverMessage.parse(message))
  }
}

/** What a client knows of candles: by instrument, window length and windowStart. */
export function candlesKnown(
  messages: readonly ServerMessage[],
): Map<string, { readonly close: string; readonly final: boolean; readonly revision: number }> {
  const known = new Map<string, { close: string; final: boolean; revision: number }>()
  for (const message of messages) {
    const candles =
      message.type === 'candle'
        ? [message.candle]
        : message.type === 'snapshot'
          ? (message.candles ?? [])
          : []
    for (const { instrumentId, interval, windowStart, close, final, revision } of candles) {
      known.set(`${instrumentId} ${interval} ${windowStart}`, { close, final, revision })
    }
  }
  return known
}
