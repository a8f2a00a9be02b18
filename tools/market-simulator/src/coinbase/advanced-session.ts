import { z } from 'zod'
import type { Subscriber } from '../channels.ts'
import type { Connection } from '../connection.ts'
import type { Feed } from '../feed.ts'
import { lastTrades } from '../last-trades.ts'
import { TradeSubscriptions } from '../trade-subscriptions.ts'
import type { VenueSession } from '../venue-session.ts'
import type { VenueContext } from '../venue.ts'
import { accepts, CoinbaseClient } from './coinbase-client.ts'
import { advancedMessage, marketTrades, messageNumber } from './coinbase-text.ts'

const request = z.object({
  type: z.enum(['subscribe', 'unsubscribe']),
  product_ids: z.array(z.string()).default([]),
  channel: z.enum(['market_trades', 'heartbeats']),
})

const snapshotTrades = 100

/** Without an update for this long the venue closes; `heartbeats` are updates. */
const silenceSeconds = 90

/** One client's conversation over the Advanced Trade WebSocket. */
export class AdvancedSession implements VenueSession, Subscriber {
  readonly #connection: Connection
  readonly #context: VenueContext
  readonly #client: CoinbaseClient
  /** By the name of their product. */
  readonly #trades: TradeSubscriptions
  readonly #silence: NodeJS.Timeout
  #hasHeartbeats = false
  #heartbeatCounter = 0
  #number = 0

  constructor(connection: Connection, context: VenueContext, feed: Feed) {
    this.#connection = connection
    this.#context = context
    this.#client = new CoinbaseClient(connection, context, () => this.#beat())
    this.#trades = new TradeSubscriptions({ connection, context, feed, subscriber: this })
    this.#silence = setTimeout(
      () => connection.close(1001, 'no updates'),
      silenceSeconds * context.protocolSecondMs,
    )
  }

  /** Numbers the message. A frame that was cut off on its way has the number of the whole one. */
  send(frame: Buffer | string): void {
    const text = frame.toString()
    this.#connection.send(text.replace(`${messageNumber}-1`, `${messageNumber}${this.#number}`))
    if (text.endsWith(']}')) this.#number += 1
    this.#silence.refresh()
  }

  receive(text: string): void {
    const message = this.#client.read(text)
    if (message === undefined) return
    const read = request.safeParse(message)
    if (!read.success) {
      this.#client.refuse('failure to subscribe')
      return
    }
    const { channel, product_ids: products, type } = read.data
    const wrong = products.find((each) => !accepts(this.#context, each))
    if (wrong !== undefined) {
      this.#client.refuse(`failure to subscribe: invalid product ${wrong}`)
      return
    }
    if (channel === 'heartbeats') this.#hasHeartbeats = type === 'subscribe'
    else if (type === 'unsubscribe') this.#trades.leave(products)
    else this.#joinTrades(products)
    if (type === 'subscribe') this.#client.subscribed()
    this.#acknowledge()
  }

  end(): void {
    this.#client.end()
    clearTimeout(this.#silence)
    this.#trades.leave(this.#trades.names)
  }

  #joinTrades(products: readonly string[]): void {
    for (const product of this.#trades.join(products)) {
      const trades = lastTrades(this.#context, product, snapshotTrades)
      const now = this.#context.now()
      this.send(advancedMessage('market_trades', now, marketTrades('snapshot', trades)))
    }
  }

  #acknowledge(): void {
    const subscriptions = {
      ...(this.#trades.names.length > 0 && { market_trades: this.#trades.names }),
      ...(this.#hasHeartbeats && { heartbeats: ['heartbeats'] }),
    }
    const event = JSON.stringify({ subscriptions })
    this.send(advancedMessage('subscriptions', this.#context.now(), event))
  }

  #beat(): void {
    if (!this.#hasHeartbeats) return
    const now = this.#context.flush()
    this.#heartbeatCounter += 1
    // As Go prints a time.
    const current = `${new Date(now).toISOString().replace('T', ' ').replace('Z', '')} +0000 UTC`
    const event = `{"current_time":"${current}","heartbeat_counter":"${this.#heartbeatCounter}"}`
    this.send(advancedMessage('heartbeats', now, event))
  }
}
