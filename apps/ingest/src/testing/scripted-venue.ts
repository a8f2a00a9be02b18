import { ConnectionLost } from '../feed.ts'
import type { FeedConnection } from '../feed.ts'
import type { MappedTrade } from '../mapped-trade.ts'
import type { ConnectOptions, Venue } from '../venue.ts'
import type { ScriptedHistory } from './scripted-history.ts'

/** A venue whose connection a test holds in its hands. */
export class ScriptedVenue {
  readonly venue: Venue
  /** Answers of the venue's clock, in turn; the last one stays. */
  times: (number | undefined)[] = [0]
  refused: readonly string[] = []
  paused = false
  asked = 0
  #options: ConnectOptions | undefined
  #end = Promise.withResolvers<string>()

  constructor(history: ScriptedHistory) {
    this.venue = {
      name: 'sample',
      webSocketUrl: 'ws://sample',
      restUrl: 'http://sample',
      instruments: ['X'],
      heartbeatMarginMs: 200,
      restBudget: { capacity: 1, refillPerSecond: 1 },
      saysRateLimited: () => false,
      connect: (options) => Promise.resolve(this.#connect(options)),
      history: () => history,
    }
  }

  get connected(): boolean {
    return this.#options !== undefined
  }

  frame(...trades: readonly MappedTrade[]): void {
    this.#options?.handlers.trades(trades)
  }

  malformed(frame: string): void {
    this.#options?.handlers.malformed(frame, 'scripted')
  }

  cut(reason: string): void {
    this.#options = undefined
    this.#end.resolve(reason)
  }

  #connect(options: ConnectOptions): FeedConnection {
    this.#options = options
    this.#end = Promise.withResolvers<string>()
    return {
      closed: this.#end.promise,
      subscribe: () => Promise.resolve({ refused: this.refused }),
      venueTime: () => {
        if (!this.connected) return Promise.reject(new ConnectionLost('cut'))
        this.asked += 1
        return Promise.resolve(this.times.length > 1 ? this.times.shift() : this.times[0])
      },
      pause: () => {
        this.paused = true
      },
      resume: () => {
        this.paused = false
      },
      [Symbol.dispose]: () => this.cut('ended by us'),
    }
  }
}
