import { z } from 'zod'
import type { Connection } from '../connection.ts'
import type { Feed } from '../feed.ts'
import { lastTrades } from '../last-trades.ts'
import { TradeSubscriptions } from '../trade-subscriptions.ts'
import type { VenueSession } from '../venue-session.ts'
import type { VenueContext } from '../venue.ts'
import { accepts, CoinbaseClient } from './coinbase-client.ts'
import { heartbeatMessage, matchMessage } from './coinbase-text.ts'

const request = z.object({
  type: z.enum(['subscribe', 'unsubscribe']),
  product_ids: z.array(z.string()).default([]),
  channels: z.array(z.string()),
})

const channels = new Set(['matches', 'heartbeat'])

/** One client's conversation over Coinbase Exchange's WebSocket. */
export class ExchangeSession implements VenueSession {
  readonly #connection: Connection
  readonly #context: VenueContext
  readonly #client: CoinbaseClient
  /** By the name of their product. */
  readonly #matches: TradeSubscriptions
  readonly #heartbeats = new Set<string>()

  constructor(connection: Connection, context: VenueContext, feed: Feed) {
    this.#connection = connection
    this.#context = context
    this.#client = new CoinbaseClient(connection, context, () => this.#beat())
    this.#matches = new TradeSubscriptions({ connection, context, feed })
  }

  receive(text: string): void {
    const message = this.#client.read(text)
    if (message === undefined) return
    const read = request.safeParse(message)
    if (!read.success) {
      this.#client.refuse('Failed to subscribe', 'message is not a valid subscription')
      return
    }
    const reason = this.#wrongWith(read.data)
    if (reason === undefined) this.#carryOut(read.data)
    else this.#client.refuse('Failed to subscribe', reason)
  }

  end(): void {
    this.#client.end()
    this.#matches.leave(this.#matches.names)
  }

  /** One wrong name refuses the whole message. */
  #wrongWith(message: z.infer<typeof request>): string | undefined {
    const channel = message.channels.find((each) => !channels.has(each))
    if (channel !== undefined) return `${channel} is not a valid channel`
    const product = message.product_ids.find((each) => !accepts(this.#context, each))
    return product === undefined ? undefined : `${product} is not a valid product`
  }

  #carryOut({ channels: wanted, product_ids: products, type }: z.infer<typeof request>): void {
    if (type === 'subscribe') {
      this.#client.subscribed()
      if (wanted.includes('heartbeat')) for (const each of products) this.#heartbeats.add(each)
      if (wanted.includes('matches')) this.#joinMatches(products)
    } else {
      if (wanted.includes('heartbeat')) for (const each of products) this.#heartbeats.delete(each)
      if (wanted.includes('matches')) this.#matches.leave(products)
    }
    this.#connection.send(
      JSON.stringify({
        type: 'subscriptions',
        channels: [
          { name: 'matches', product_ids: this.#matches.names },
          { name: 'heartbeat', product_ids: [...this.#heartbeats] },
        ],
      }),
    )
  }

  #joinMatches(products: readonly string[]): void {
    for (const product of this.#matches.join(products)) {
      for (const trade of lastTrades(this.#context, product, 1)) {
        this.#connection.send(matchMessage('last_match', trade))
      }
    }
  }

  #beat(): void {
    if (this.#heartbeats.size === 0) return
    const { market } = this.#context
    const now = this.#context.flush()
    for (const product of this.#heartbeats) {
      const lastTradeId = market.nextSequence(product, now) - 1
      this.#connection.send(heartbeatMessage(product, lastTradeId, now))
    }
  }
}
