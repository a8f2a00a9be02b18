import type { Connection } from '../connection.ts'
import { CreditPool } from '../credit-pool.ts'
import { findInstrument } from '../market/market.ts'
import type { VenueContext } from '../venue.ts'

/** https://docs.cdp.coinbase.com, "WebSocket Rate Limits" and "Subscribe". */
const messagesPerSecond = 100
const subscribeSeconds = 5

/** Whether there is such a product, and no fault refuses it. */
export function accepts({ market, refuses }: VenueContext, product: string): boolean {
  return findInstrument(market, product) !== undefined && !refuses(product)
}

/** What both of Coinbase's WebSockets ask of a client, and what they send it each second. */
export class CoinbaseClient {
  readonly #connection: Connection
  readonly #context: VenueContext
  readonly #messages: CreditPool
  readonly #deadline: NodeJS.Timeout
  readonly #second: NodeJS.Timeout

  /** @param everySecond sends what is due by now */
  constructor(connection: Connection, context: VenueContext, everySecond: () => void) {
    const { protocolSecondMs, realTime } = context
    this.#connection = connection
    this.#context = context
    this.#messages = new CreditPool({
      capacity: messagesPerSecond,
      refillPerSecond: messagesPerSecond,
      realTime,
    })
    this.#deadline = setTimeout(
      () => connection.close(1008, 'no subscription within 5 seconds'),
      subscribeSeconds * protocolSecondMs,
    )
    this.#second = setInterval(everySecond, protocolSecondMs)
  }

  /** @returns the message; undefined for one that was refused */
  read(text: string): unknown {
    if (this.#context.limits && !this.#messages.take(1)) {
      this.refuse('Rate limit exceeded')
      this.#connection.close(1008, 'Rate limit exceeded')
      return undefined
    }
    try {
      return JSON.parse(text)
    } catch {
      this.refuse('Malformed JSON')
      return undefined
    }
  }

  /** The client has subscribed to something. */
  subscribed(): void {
    clearTimeout(this.#deadline)
  }

  refuse(message: string, reason?: string): void {
    this.#connection.send(JSON.stringify({ type: 'error', message, reason }))
  }

  end(): void {
    clearTimeout(this.#deadline)
    clearInterval(this.#second)
  }
}
