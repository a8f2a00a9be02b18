import type { Subscriber } from './channels.ts'
import type { Connection } from './connection.ts'
import type { Feed } from './feed.ts'
import type { VenueContext } from './venue.ts'

export interface TradeSubscriptionsOptions {
  readonly connection: Connection
  readonly context: VenueContext
  readonly feed: Feed
  /** Who gets the frames; the connection itself where it changes none. */
  readonly subscriber?: Subscriber
}

/** The channels of trades that one client listens to. */
export class TradeSubscriptions {
  readonly #options: TradeSubscriptionsOptions

  constructor(options: TradeSubscriptionsOptions) {
    this.#options = options
  }

  get names(): readonly string[] {
    return [...this.#options.connection.subscriptions]
  }

  /** @returns those that were not joined before */
  join(names: readonly string[]): readonly string[] {
    const { connection, context, feed, subscriber = connection } = this.#options
    // What is due by now was for those who were there.
    context.flush()
    const joined = [...new Set(names)].filter((name) => !connection.subscriptions.has(name))
    for (const name of joined) {
      connection.subscriptions.add(name)
      if (context.channels.subscribe(name, subscriber)) feed.open(name)
    }
    return joined
  }

  leave(names: readonly string[]): void {
    const { connection, context, feed, subscriber = connection } = this.#options
    for (const name of names) {
      connection.subscriptions.delete(name)
      if (context.channels.unsubscribe(name, subscriber)) feed.close(name)
    }
  }
}
