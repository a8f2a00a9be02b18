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
  z.object({ id: z.number(), op: z.literal('subscribe'), instruments: z.array(z.string()) }),
])

/** One client's conversation: `{"id":1,"op":"subscribe","instruments":[…]}` and `{"id":2,"op":"time"}`. */
export class NumberedEventsSession implements VenueSession {
  readonly #options: NumberedEventsSessionOptions
  readonly #ping: NodeJS.Timeout
  #pongDue: NodeJS.Timeout | undefined

  constructor(options: NumberedEventsSessionOptions) {
    this.#options = options
    this.#ping = setInterval(() => this.#sendPing(), pingSeconds * options.context.protocolSecondMs)
  }

  receive(text: string): void {
    const { connection, context } = this.#options
    let message: z.infer<typeof request>
    try {
      message = request.parse(JSON.parse(text))
    } catch {
      connection.send(
        JSON.stringify({ error: 'neither a subscription nor a question of the time' }),
      )
      return
    }
    const { id } = message
    const result = message.op === 'time' ? context.flush() : this.#subscribe(message.instruments)
    connection.send(JSON.stringify({ id, result }))
  }

  pong(): void {
    clearTimeout(this.#pongDue)
    this.#pongDue = undefined
  }

  end(): void {
    const { connection, context, feed } = this.#options
    clearInterval(this.#ping)
    clearTimeout(this.#pongDue)
    for (const instrument of connection.subscriptions) {
      if (context.channels.unsubscribe(instrument, connection)) feed.close(instrument)
    }
    connection.subscriptions.clear()
  }

  /** An instrument that is refused is absent from the answer. */
  #subscribe(instruments: readonly string[]): readonly string[] {
    const { connection, context, feed } = this.#options
    const accepted = instruments.filter(
      (each) => findInstrument(context.market, each) !== undefined,
    )
    // What is due by now was for those who were there.
    context.flush()
    for (const instrument of accepted) {
      connection.subscriptions.add(instrument)
      if (context.channels.subscribe(instrument, connection)) feed.open(instrument)
    }
    return accepted
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
