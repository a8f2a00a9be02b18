import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'

import { WebSocketServer } from 'ws'

import { frameBytes, historyRow, idOf, numberOf, symbols, tradeEvent } from './binance-frames.ts'

/** Frames between two looks at what the client asks. */
const framesAtOnce = 250

/**
 * Binance's spot market as fast as anybody reads it: writes frames that are bytes already, where a library's
 * `send` for each would be the limit of the bench.
 */
export class BinanceServer implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false })
  readonly #connections = new Set<Duplex>()
  readonly #subscribed = new Set<Duplex>()
  /** Some were before anybody came: a market without a past is no market of Binance's. */
  #sent = symbols.length
  #lastTime = Date.now()

  private constructor() {
    this.#server = createServer((request, response) => this.#answer(request, response))
    this.#server.on('upgrade', (request, transport, head) => {
      this.#sockets.handleUpgrade(request, transport, head, (socket) => {
        this.#connections.add(transport)
        transport.on('close', () => {
          this.#connections.delete(transport)
          this.#subscribed.delete(transport)
        })
        socket.on('error', () => undefined)
        socket.on('message', (data: Buffer) => {
          // The client's own requests.
          const { method, id } = JSON.parse(String(data)) as { method: string; id: number }
          if (method === 'SUBSCRIBE') this.#subscribed.add(transport)
          socket.send(JSON.stringify({ result: null, id }))
        })
      })
    })
  }

  static async start(): Promise<BinanceServer> {
    const server = new BinanceServer()
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }

  /** Trades sent so far. */
  get sent(): number {
    return this.#sent
  }

  get isSubscribed(): boolean {
    return this.#subscribed.size > 0
  }

  get webSocketUrl(): string {
    return `ws://127.0.0.1:${this.#port}/stream`
  }

  get restUrl(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** Sends trades as fast as the subscriber reads. */
  async send(trades: number): Promise<void> {
    const [transport] = this.#subscribed
    if (transport === undefined) throw new Error('Nobody has subscribed')
    const end = this.#sent + trades
    while (this.#sent < end) {
      const time = this.#now()
      const count = Math.min(framesAtOnce, end - this.#sent)
      const first = this.#sent
      this.#sent += count
      let isFull = false
      // A write for each, as venues do: many frames in one would spare the reader most of its reads.
      for (let index = 0; index < count; index += 1) {
        isFull = !transport.write(frameBytes([tradeEvent(first + index, time)])) || isFull
      }
      if (isFull) await once(transport, 'drain')
      // Requests have to be answered in between.
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** Sends one trade now. @returns its number. */
  sendOne(): number {
    const number = this.#sent
    this.#sent += 1
    const bytes = frameBytes([tradeEvent(number, this.#now())])
    for (const transport of this.#subscribed) transport.write(bytes)
    return number
  }

  /** Ends every connection, as a venue does that restarts. */
  cut(): void {
    for (const transport of this.#connections) transport.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
    this.#sockets.close()
    this.#server.close()
    await once(this.#server, 'close')
  }

  get #port(): number {
    // A server on a TCP port has such an address.
    return (this.#server.address() as AddressInfo).port
  }

  #now(): number {
    this.#lastTime = Date.now()
    return this.#lastTime
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', this.restUrl)
    response.setHeader('content-type', 'application/json')
    response.setHeader('connection', 'close')
    response.end(JSON.stringify(this.#body(url)))
  }

  #body(url: URL): unknown {
    switch (url.pathname) {
      case '/api/v3/time':
        return { serverTime: Date.now() }
      case '/api/v3/exchangeInfo':
        return {
          symbols: symbols.map((symbol) => ({
            symbol,
            status: 'TRADING',
            baseAsset: symbol.slice(0, -4),
            quoteAsset: 'USDT',
          })),
        }
      default:
        return this.#history(url.searchParams)
    }
  }

  /** The newest that were sent, or those from an id on. */
  #history(query: URLSearchParams): readonly unknown[] {
    const symbol = query.get('symbol') ?? ''
    const limit = Number(query.get('limit'))
    const fromId = query.get('fromId')
    const current = idOf(this.#sent)
    const end = numberOf(symbol, current) < this.#sent ? current + 1 : current
    const from = fromId === null ? end - limit : Number(fromId)
    const count = Math.max(0, Math.min(limit, end - from))
    return Array.from({ length: count }, (_, index) =>
      historyRow(numberOf(symbol, from + index), this.#lastTime),
    )
  }
}
