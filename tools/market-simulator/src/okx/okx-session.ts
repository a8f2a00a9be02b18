import { z } from 'zod'
import type { Subscriber } from '../channels.ts'
import type { Connection } from '../connection.ts'
import { CreditPool } from '../credit-pool.ts'
import type { Feed } from '../feed.ts'
import { findInstrument } from '../market/market.ts'
import { TradeSubscriptions } from '../trade-subscriptions.ts'
import type { VenueSession } from '../venue-session.ts'
import type { VenueContext } from '../venue.ts'

/** Which channel is at which address. */
export type OkxChannel = 'trades-all' | 'trades'

export interface OkxSessionOptions {
  readonly connection: Connection
  readonly context: VenueContext
  readonly feed: Feed
  /** The one that the socket's address has. */
  readonly channel: OkxChannel
}

/** https://www.okx.com/docs-v5, "WebSocket", "Overview" and "Connect". */
const requestsPerHour = 480
const requestBytes = 64 * 1024
const silenceSeconds = 30

const request = z.object({
  op: z.enum(['subscribe', 'unsubscribe']),
  args: z.array(z.object({ channel: z.string(), instId: z.string() })),
})

type Arg = z.infer<typeof request>['args'][number]

/** The name in Channels of an instrument's channel. */
export function channelName(channel: OkxChannel, instId: string): string {
  return `${channel}:${instId}`
}

/** One client's conversation over a WebSocket of OKX's. */
export class OkxSession implements VenueSession, Subscriber {
  readonly #options: OkxSessionOptions
  readonly #requests: CreditPool
  readonly #trades: TradeSubscriptions
  readonly #silence: NodeJS.Timeout

  constructor(options: OkxSessionOptions) {
    const { protocolSecondMs, realTime } = options.context
    this.#options = options
    this.#trades = new TradeSubscriptions({ ...options, subscriber: this })
    this.#requests = new CreditPool({
      capacity: requestsPerHour,
      refillPerSecond: requestsPerHour / 3600,
      realTime,
    })
    this.#silence = setTimeout(
      () => options.connection.close(4004, 'No data received in 30s'),
      silenceSeconds * protocolSecondMs,
    )
  }

  /** A push: the venue counts those, and what the client sends, against its silence. */
  send(frame: Buffer): void {
    this.#silence.refresh()
    this.#options.connection.send(frame)
  }

  receive(text: string): void {
    const { connection, context } = this.#options
    this.#silence.refresh()
    if (text === 'ping') {
      connection.send('pong')
      return
    }
    if (text.length > requestBytes) {
      connection.close(1009, 'Request message exceeds the maximum frame length')
      return
    }
    const read = request.safeParse(parsed(text))
    if (!read.success) {
      this.#refuse('60012', `Invalid request: ${text.slice(0, 200)}`)
    } else if (context.limits && !this.#requests.take(1)) {
      this.#refuse('60014', 'Requests too frequent')
    } else {
      this.#carryOut(read.data)
    }
  }

  /** The socket is gone. */
  end(): void {
    clearTimeout(this.#silence)
    this.#trades.leave(this.#trades.names)
  }

  #carryOut({ args, op }: z.infer<typeof request>): void {
    const { channel, context } = this.#options
    for (const arg of args) {
      const name = channelName(channel, arg.instId)
      const isKnown = findInstrument(context.market, arg.instId) !== undefined
      const isRefused = op === 'subscribe' && context.refuses(arg.instId)
      if (arg.channel !== channel || !isKnown || isRefused) {
        const what = `channel:${arg.channel},instId:${arg.instId}`
        this.#refuse(
          '60018',
          `Wrong URL or ${what} doesn't exist. Please use the correct URL, channel and parameters referring to API document.`,
        )
      } else {
        if (op === 'subscribe') this.#trades.join([name])
        else this.#trades.leave([name])
        this.#acknowledge(op, arg)
      }
    }
  }

  #acknowledge(event: string, arg: Arg): void {
    this.#say({ event, arg })
    this.#say({ event: 'channel-conn-count', channel: arg.channel, connCount: '1' })
  }

  #refuse(code: string, msg: string): void {
    this.#say({ event: 'error', code, msg })
  }

  #say(message: object): void {
    const { connection } = this.#options
    connection.send(JSON.stringify({ ...message, connId: `okx${connection.id}` }))
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
