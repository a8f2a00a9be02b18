import { z } from 'zod'
import type { Subscriber } from '../channels.ts'
import type { Connection } from '../connection.ts'
import type { Feed } from '../feed.ts'
import { findInstrument } from '../market/market.ts'
import { TradeSubscriptions } from '../trade-subscriptions.ts'
import type { VenueSession } from '../venue-session.ts'
import type { VenueContext } from '../venue.ts'

export interface BybitSessionOptions {
  readonly connection: Connection
  readonly context: VenueContext
  readonly feed: Feed
}

/** https://bybit-exchange.github.io/docs/v5, "WebSocket Stream", "Connect". */
const maxArgs = 10
const silenceSeconds = 600

const request = z.object({
  op: z.string(),
  req_id: z.string().optional(),
  args: z.array(z.string()).optional(),
})

type Request = z.infer<typeof request>

const topicPrefix = 'publicTrade.'

export function topicInstrument(topic: string): string | undefined {
  return topic.startsWith(topicPrefix) ? topic.slice(topicPrefix.length) : undefined
}

/** One client's conversation over a public WebSocket of Bybit's. */
export class BybitSession implements VenueSession, Subscriber {
  readonly #options: BybitSessionOptions
  readonly #silence: NodeJS.Timeout
  readonly #trades: TradeSubscriptions

  constructor(options: BybitSessionOptions) {
    this.#options = options
    this.#trades = new TradeSubscriptions({ ...options, subscriber: this })
    this.#silence = setTimeout(
      () => options.connection.terminate(),
      silenceSeconds * options.context.protocolSecondMs,
    )
  }

  /** A push: the venue counts those, and what the client sends, against its silence. */
  send(frame: Buffer): void {
    this.#silence.refresh()
    this.#options.connection.send(frame)
  }

  receive(text: string): void {
    this.#silence.refresh()
    const message = readRequest(text)
    if (message === undefined) {
      this.#answer({ op: '' }, `Failed to decode incoming data: ${text.slice(0, 50)}`)
      return
    }
    switch (message.op) {
      case 'ping':
        // The venue does not give the id back.
        this.#say({ success: true, ret_msg: 'pong', req_id: '', op: 'ping' })
        break
      case 'subscribe':
        this.#answer(message, this.#subscribe(message.args ?? []))
        break
      case 'unsubscribe':
        this.#trades.leave(message.args ?? [])
        this.#answer(message, undefined)
        break
      default:
        this.#answer(message, 'error:invalid op')
    }
  }

  /** The socket is gone. */
  end(): void {
    clearTimeout(this.#silence)
    this.#trades.leave(this.#trades.names)
  }

  /** @returns why none of the topics is subscribed to. */
  #subscribe(topics: readonly string[]): string | undefined {
    if (topics.length > maxArgs) return `args size >${maxArgs}`
    const unknown = topics.find((topic) => !this.#delivers(topic))
    if (unknown !== undefined) return `error:handler not found,topic:${unknown}`
    const known = topics.find((topic) => this.#trades.names.includes(topic))
    if (known !== undefined) return `error:already subscribed,topic:${known}`
    this.#trades.join(topics)
    return undefined
  }

  #delivers(topic: string): boolean {
    const { market, refuses } = this.#options.context
    const instrument = topicInstrument(topic) ?? ''
    return findInstrument(market, instrument) !== undefined && !refuses(instrument)
  }

  #answer({ op, req_id = '' }: Request, failure: string | undefined): void {
    this.#say({ success: failure === undefined, ret_msg: failure ?? op, req_id, op })
  }

  #say(message: object): void {
    const { connection } = this.#options
    connection.send(JSON.stringify({ ...message, conn_id: `bybit-${connection.id}` }))
  }
}

function readRequest(text: string): Request | undefined {
  try {
    return request.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}
