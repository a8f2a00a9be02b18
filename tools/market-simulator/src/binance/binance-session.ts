import { z } from 'zod'
import type { Connection } from '../connection.ts'
import { CreditPool } from '../credit-pool.ts'
import type { Feed } from '../feed.ts'
import type { VenueContext } from '../venue.ts'
import type { BinanceMarket } from './binance-market.ts'

export interface BinanceSessionOptions {
  readonly connection: Connection
  readonly context: VenueContext
  readonly feed: Feed
  readonly binance: BinanceMarket
  /** /stream wraps each event in `{"stream":…,"data":…}`; /ws sends the event alone. */
  readonly combined: boolean
}

/** Most streams of a connection: https://developers.binance.com, "WebSocket Streams". */
const maxStreams = 1024

const request = z.object({
  method: z.string(),
  params: z.array(z.string()).optional(),
  id: z.union([z.number().int(), z.string(), z.null()]).optional(),
})

/** The name in Channels of a stream without its wrapper. */
export function rawChannel(stream: string): string {
  return `raw:${stream}`
}

/** One client's conversation over a Binance WebSocket. */
export class BinanceSession {
  readonly #options: BinanceSessionOptions
  readonly #messages: CreditPool
  readonly #ping: NodeJS.Timeout
  #pongDue: NodeJS.Timeout | undefined

  constructor(options: BinanceSessionOptions, streams: readonly string[]) {
    const { protocolSecondMs, realTime } = options.context
    const { messagesPerSecond, pingSeconds } = options.binance
    this.#options = options
    this.#messages = new CreditPool({
      capacity: messagesPerSecond,
      refillPerSecond: messagesPerSecond,
      realTime,
    })
    this.#ping = setInterval(() => this.#sendPing(), pingSeconds * protocolSecondMs)
    this.#subscribe(streams)
  }

  receive(text: string): void {
    if (!this.countMessage()) return
    let message: z.infer<typeof request>
    try {
      message = request.parse(JSON.parse(text))
    } catch (error) {
      const syntax = error instanceof SyntaxError
      this.#refuse(syntax ? 3 : 2, syntax ? 'Invalid JSON' : 'Invalid request', undefined)
      return
    }
    this.#answer(message)
  }

  /** Pings and pongs count as messages too. @returns false if the client sent too many */
  countMessage(): boolean {
    const { connection, context } = this.#options
    if (!context.limits || this.#messages.take(1)) return true
    connection.close(1008, 'Too many requests')
    return false
  }

  pong(): void {
    clearTimeout(this.#pongDue)
    this.#pongDue = undefined
  }

  /** The socket is gone. */
  end(): void {
    clearInterval(this.#ping)
    clearTimeout(this.#pongDue)
    this.#unsubscribe([...this.#options.connection.subscriptions])
  }

  #answer(message: z.infer<typeof request>): void {
    const { subscriptions } = this.#options.connection
    const streams = message.params ?? []
    switch (message.method) {
      case 'SUBSCRIBE':
        if (new Set([...subscriptions, ...streams]).size > maxStreams) {
          this.#refuse(2, `Invalid request: more than ${maxStreams} streams`, message.id)
          return
        }
        this.#subscribe(streams)
        this.#reply(null, message.id)
        return
      case 'UNSUBSCRIBE':
        this.#unsubscribe(streams)
        this.#reply(null, message.id)
        return
      case 'LIST_SUBSCRIPTIONS':
        this.#reply([...subscriptions], message.id)
        return
      default:
        this.#refuse(2, `Invalid request: unknown variant \`${message.method}\``, message.id)
    }
  }

  #reply(result: unknown, id: unknown): void {
    this.#options.connection.send(JSON.stringify({ result, id: id ?? null }))
  }

  #refuse(code: number, message: string, id: unknown): void {
    this.#options.connection.send(JSON.stringify({ error: { code, msg: message }, id: id ?? null }))
  }

  /** Binance accepts any name; an unknown stream stays silent. */
  #subscribe(streams: readonly string[]): void {
    const { connection, context, feed } = this.#options
    // What is due by now was for those who were there.
    context.flush()
    for (const stream of streams) {
      connection.subscriptions.add(stream)
      const channel = this.#channel(stream)
      if (context.channels.subscribe(channel, connection)) feed.open(stream)
    }
  }

  #unsubscribe(streams: readonly string[]): void {
    const { connection, context, feed } = this.#options
    for (const stream of streams) {
      connection.subscriptions.delete(stream)
      context.channels.unsubscribe(this.#channel(stream), connection)
      const listened = context.channels.has(stream) || context.channels.has(rawChannel(stream))
      if (!listened) feed.close(stream)
    }
  }

  #channel(stream: string): string {
    return this.#options.combined ? stream : rawChannel(stream)
  }

  #sendPing(): void {
    const { binance, connection, context } = this.#options
    connection.ping(String(context.now()))
    this.#pongDue ??= setTimeout(
      () => connection.terminate(),
      binance.pongSeconds * context.protocolSecondMs,
    )
  }
}
