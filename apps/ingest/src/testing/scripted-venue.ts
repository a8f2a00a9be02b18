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
  subscriptions = 0
  /** Called before the answer to a subscription. */
  beforeAnswer: () => void = () => undefined
  #options: ConnectOptions | undefined
  #end = Promise.withResolvers<string>()
  #resumed = Promise.withResolvers<void>()

  constructor(history: ScriptedHistory) {
    this.venue = {
      name: 'sample',
      webSocketUrl: 'ws://sample',
      restUrl: 'http://sample',
      instruments: ['X'],
      heartbeatMarginMs: 200,
      restBudget: { capacity: 1, refillPerSecond: 1 },
      saysRateLimited: () => false,
      saysRefused: () => false,
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
    this.paused = false
    options.signal.addEventListener('abort', () => this.cut('ended by us'), { once: true })
    return {
      closed: this.#end.promise,
      subscribe: async () => {
        this.beforeAnswer()
        await this.#answerRead()
        this.subscriptions += 1
        return { refused: this.refused }
      },
      venueTime: async () => {
        await this.#answerRead()
        this.asked += 1
        return this.times.length > 1 ? this.times.shift() : this.times[0]
      },
      pause: () => {
        this.paused = true
      },
      resume: () => {
        this.paused = false
        this.#resumed.resolve()
        this.#resumed = Promise.withResolvers()
      },
      [Symbol.dispose]: () => this.cut('ended by us'),
    }
  }
  /** An answer, as any frame, comes only while the connection is read. */
  async #answerRead(): Promise<void> {
    const end = this.#end.promise
    while (this.connected && this.paused) await Promise.race([this.#resumed.promise, end])
    if (!this.connected) throw new ConnectionLost('cut')
  }
}
