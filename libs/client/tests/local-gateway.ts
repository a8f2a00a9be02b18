import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

import { WebSocketServer } from 'ws'
import type { WebSocket } from 'ws'

import { clientMessage, matchesPattern } from '@tickertape/market-api'
import type {
  CandleResource,
  ClientMessage,
  ServerMessage,
  Subscribe,
  TradeResource,
} from '@tickertape/market-api'

type Update = { type: 'candle'; candle: CandleResource } | { type: 'trade'; trade: TradeResource }

/**
 * A server that speaks the gateway's protocol over a real socket: a log of updates whose positions are the
 * offsets in it. It stops and starts again at its address, forgets positions, and falls silent, as asked.
 */
export class LocalGateway implements AsyncDisposable {
  readonly heartbeatMs: number
  readonly log: Update[] = []
  /** Every message that came, over all connections. */
  readonly received: ClientMessage[] = []
  /** Handshakes that were accepted. */
  connections = 0
  token: string | undefined
  /** While true, handshakes and requests are answered by 503, as by a gateway that waits for its database. */
  isUnready = false
  /** Handshakes that were answered by 503. */
  putOff = 0
  /** Positions before this one are too old. */
  remembersFrom = 0
  /** While true, nothing is sent, as by a gateway whose network is gone. */
  isSilent = false
  /** Subscribe messages for which this says true are answered at `answerHeld`, as by a gateway that is busy. */
  holds: (message: Subscribe) => boolean = () => false
  readonly #held: (() => void)[] = []
  readonly #http: Server
  readonly #sockets = new WebSocketServer({ noServer: true })
  readonly #connected = new Set<Socket>()
  #isUp = false
  readonly #clients = new Map<WebSocket, Map<string, Subscribe>>()
  #heartbeats: ReturnType<typeof setInterval> | undefined

  private constructor(heartbeatMs: number) {
    this.heartbeatMs = heartbeatMs
    this.#http = createServer((request, response) => this.#answer(request, response))
    this.#http.on('upgrade', (request, socket, head) => {
      if (this.isUnready) {
        this.putOff += 1
        socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n')
        return
      }
      if (this.token !== undefined && tokenOf(request) !== this.token) {
        socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n')
        return
      }
      this.#sockets.handleUpgrade(request, socket, head, (client) => this.#welcome(client))
    })
    // The port is held all the time: one that is let go may be somebody else's when it is wanted back.
    this.#http.on('connection', (socket: Socket) => {
      if (!this.#isUp) {
        socket.resetAndDestroy()
        return
      }
      this.#connected.add(socket)
      socket.on('close', () => this.#connected.delete(socket))
    })
  }

  static async open(heartbeatMs = 5_000): Promise<LocalGateway> {
    const gateway = new LocalGateway(heartbeatMs)
    gateway.#http.listen(0, '127.0.0.1')
    await once(gateway.#http, 'listening')
    gateway.start()
    return gateway
  }

  get url(): string {
    // A TCP server's address is an object.
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`
  }

  /** Subscribe messages that wait for `answerHeld`. */
  get held(): number {
    return this.#held.length
  }

  start(): void {
    this.#isUp = true
    this.#heartbeats = setInterval(() => {
      for (const client of this.#clients.keys()) {
        this.#send(client, { type: 'cursor', position: positionOf(this.log.length) })
        this.#send(client, { type: 'heartbeat', at: Date.now() })
      }
    }, this.heartbeatMs / 2)
  }

  /** As a process that dies: every connection breaks, and new ones do at once. */
  stop(): void {
    this.#isUp = false
    clearInterval(this.#heartbeats)
    this.cut()
    for (const socket of this.#connected) socket.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop()
    this.#sockets.close()
    this.#http.close()
    await once(this.#http, 'close')
  }

  cut(): void {
    for (const client of this.#clients.keys()) client.terminate()
    this.#clients.clear()
  }

  closeAll(code: number): void {
    for (const client of this.#clients.keys()) client.close(code)
    this.#clients.clear()
  }

  /** Appends to the log and sends to whoever asked for it. */
  publish(update: Update): void {
    this.log.push(update)
    for (const [client, subscriptions] of this.#clients) {
      if ([...subscriptions.values()].some((asked) => isAskedFor(update, asked))) {
        this.#send(client, update)
      }
    }
  }

  /** Answers the subscribe messages that it held back. */
  answerHeld(): void {
    for (const subscribe of this.#held.splice(0)) subscribe()
  }

  cursors(): void {
    for (const client of this.#clients.keys()) {
      this.#send(client, { type: 'cursor', position: positionOf(this.log.length) })
    }
  }

  /** Sends a message to every client, as it is. */
  say(message: ServerMessage): void {
    for (const client of this.#clients.keys()) this.#send(client, message)
  }

  #welcome(client: WebSocket): void {
    this.connections += 1
    const subscriptions = new Map<string, Subscribe>()
    this.#clients.set(client, subscriptions)
    client.on('close', () => this.#clients.delete(client))
    client.on('message', (data) => {
      // A text frame, which ws gives as one Buffer.
      const message = clientMessage.parse(JSON.parse((data as Buffer).toString()))
      this.received.push(message)
      if (message.type === 'unsubscribe') subscriptions.delete(message.id)
      if (message.type === 'ping') this.#send(client, { type: 'pong' })
      if (message.type !== 'subscribe') return
      const subscribe = (): void => this.#subscribe(client, subscriptions, message)
      if (this.holds(message)) this.#held.push(subscribe)
      else subscribe()
    })
    this.#send(client, {
      type: 'welcome',
      protocol: 1,
      instance: 'local',
      heartbeatMs: this.heartbeatMs,
      limits: { subscriptions: 10, instruments: 100, messageBytes: 65_536 },
    })
  }

  #subscribe(client: WebSocket, known: Map<string, Subscribe>, message: Subscribe): void {
    const { id, channel, resume } = message
    if (known.size >= 10) {
      const text = 'Ten subscriptions are the most'
      this.#send(client, { type: 'error', id, code: 'too_many_subscriptions', message: text })
      return
    }
    known.set(id, message)
    const from = resume === undefined ? undefined : offsetOf(resume)
    const resumed = from !== undefined && from >= this.remembersFrom
    const reset = from !== undefined && !resumed ? 'position_too_old' : null
    this.#send(client, { type: 'subscribed', id, channel, resumed, reset })
    if (resumed) {
      for (const update of this.log.slice(from)) {
        if (isAskedFor(update, message)) this.#send(client, update)
      }
      return
    }
    const asked = this.log.filter((update) => isAskedFor(update, message))
    const candles = asked.flatMap((update) => (update.type === 'candle' ? [update.candle] : []))
    const trades = asked.flatMap((update) => (update.type === 'trade' ? [update.trade] : []))
    this.#send(client, { type: 'snapshot', id, candles: candles.slice(0, -1), last: false })
    this.#send(client, { type: 'snapshot', id, candles: candles.slice(-1), trades, last: true })
  }

  #send(client: WebSocket, message: ServerMessage): void {
    if (!this.isSilent) client.send(JSON.stringify([message]))
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const target = new URL(request.url ?? '/', this.url)
    const isKnown =
      this.token === undefined || request.headers.authorization === `Bearer ${this.token}`
    if (this.isUnready) {
      answer(response, 503, problemOf(503, 'not_ready', 'It waits for the database'))
    } else if (!isKnown) {
      answer(response, 401, problemOf(401, 'unauthenticated', 'No key came with the request'))
    } else if (target.pathname === '/v1/instruments') {
      const second = target.searchParams.get('cursor') === 'two'
      const instruments = [{ instrumentId: second ? 'binance:B' : 'binance:A' }]
      answer(response, 200, { instruments, next: second ? null : 'two' })
    } else if (target.pathname === '/v1/candles') {
      const candles = this.log.flatMap((update) =>
        update.type === 'candle' ? [update.candle] : [],
      )
      answer(response, 200, { candles, gaps: [], next: null, previous: null, position: 'AA' })
    } else if (target.pathname === '/v1/feeds') {
      response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad gateway</h1>')
    } else {
      answer(response, 404, problemOf(404, 'not_found', `Nothing is served at ${target.pathname}`))
    }
  }
}

function isAskedFor(update: Update, asked: Subscribe): boolean {
  if (asked.channel === 'stats' || asked.channel !== `${update.type}s`) return false
  const { instrumentId } = update.type === 'candle' ? update.candle : update.trade
  return asked.instruments.some((pattern) => matchesPattern(instrumentId, pattern))
}

function positionOf(offset: number): string {
  return Buffer.from(String(offset)).toString('base64url')
}

function offsetOf(position: string): number {
  return Number(Buffer.from(position, 'base64url').toString())
}

function tokenOf(request: IncomingMessage): string | undefined {
  const protocols = request.headers['sec-websocket-protocol']?.split(/, */) ?? []
  return protocols.find((each) => each.startsWith('bearer.'))?.slice('bearer.'.length)
}

function problemOf(status: number, code: string, detail: string): object {
  return { type: `/problems/${code}`, title: 'Refused', status, detail, instance: '1', code }
}

function answer(response: ServerResponse, status: number, body: object): void {
  const type = status < 400 ? 'application/json' : 'application/problem+json'
  response.writeHead(status, { 'content-type': type, 'retry-after': '7' })
  response.end(JSON.stringify(body))
}
