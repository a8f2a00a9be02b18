import { z } from 'zod'
import type { Connection } from '../connection.ts'
import type { Feed } from '../feed.ts'
import { findInstrument } from '../market/market.ts'
import type { VenueContext } from '../venue.ts'
import type { VenueSession } from '../venue-session.ts'

export interface NumberedEventsSessionOptions {
  readonly connection: Connection
  readonly context: VenueContext
  readonly feed: Feed
}

/** The venue asks so often whether a client is there, and waits so long for the pong. */
const pingSeconds = 15
const pongSeconds = 30

const request = z.discriminatedUnion('op', [
  z.object({ id: z.number(), op: z.literal('time') }),
  z.object({
    id: z.number(),
    op: z.enum(['subscribe', 'unsubscribe']),
    instruments: z.array(z.string()),
  }),
])

/** One client's conversation: `{"id":1,"op":"subscribe","instruments":[…]}`, or unsubscribe, or time. */
export class NumberedEventsSession implements VenueSession {
  readonly #options: NumberedEventsSessionOptions
  readonly #ping: NodeJS.Timeout
  #pongDue: NodeJS.Timeout | undefined

  constructor(options: NumberedEventsSessionOptions) {
    this.#options = options
    this.#ping = setInterval(() => this.#sendPing(), pingSeconds * options.context.protocolSecondMs)
  }

  receive(text: string): void {
    const { connection } = this.#options
    let message: z.infer<typeof request>
    try {
      message = request.parse(JSON.parse(text))
    } catch {
      connection.send(
        JSON.stringify({ error: 'neither a subscription nor a question of the time' }),
      )
      return
    }
    connection.send(JSON.stringify({ id: message.id, result: this.#resultOf(message) }))
  }

  pong(): void {
    clearTimeout(this.#pongDue)
    this.#pongDue = undefined
  }

  end(): void {
    clearInterval(this.#ping)
    clearTimeout(this.#pongDue)
    this.#unsubscribe([...this.#options.connection.subscriptions])
  }

  #resultOf(message: z.infer<typeof request>): unknown {
    if (message.op === 'time') return this.#options.context.flush()
    const { instruments, op } = message
    return op === 'subscribe' ? this.#subscribe(instruments) : this.#unsubscribe(instruments)
  }

  /** An instrument that is refused is absent from the answer. */
  #subscribe(instruments: readonly string[]): readonly string[] {
    const { connection, context, feed } = this.#options
    const accepted = instruments.filter(
      (each) => findInstrument(context.market, each) !== undefined && !context.refuses(each),
    )
    // What is due by now was for those who were there.
    context.flush()
    for (const instrument of accepted) {
      connection.subscriptions.add(instrument)
      if (context.channels.subscribe(instrument, connection)) feed.open(instrument)
    }
    return accepted
  }

  #unsubscribe(instruments: readonly string[]): readonly string[] {
    const { connection, context, feed } = this.#options
    const left = instruments.filter((each) => connection.subscriptions.delete(each))
    for (const instrument of left) {
      if (context.channels.unsubscribe(instrument, connection)) feed.close(instrument)
    }
    return left
  }

  #sendPing(): void {
    const { connection, context } = this.#options
    connection.ping(String(context.now()))
    this.#pongDue ??= setTimeout(
      () => connection.terminate(),
      pongSeconds * context.protocolSecondMs,
    )
  }
}
