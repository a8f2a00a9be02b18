import { ConnectionLost } from '../feed.ts'
import type { FeedConnection } from '../feed.ts'
import type { MappedTrade } from '../mapped-trade.ts'
import type { VenueHistory } from '../trade-history.ts'
import type { ConnectOptions, Venue } from '../venue.ts'

/** A venue whose connections a test holds in its hands. */
export class ScriptedVenue {
  readonly venue: Venue
  /** All that there were, the newest last. */
  readonly connections: ScriptedConnection[] = []
  /** Answers of the venue's clock, in turn; the last one stays. */
  times: (number | undefined)[] = [0]
  refused: readonly string[] = []
  asked = 0
  subscriptions = 0
  /** Called before the answer to a subscription. */
  beforeAnswer: () => void = () => undefined

  constructor(history: VenueHistory) {
    this.venue = {
      name: 'sample',
      webSocketUrl: 'ws://sample',
      restUrl: 'http://sample',
      instruments: ['X'],
      heartbeatMarginMs: 200,
      restBudget: { capacity: 1, refillPerSecond: 1 },
      saysRateLimited: () => false,
      saysRefused: () => false,
      connect: (options) => {
        const connection = new ScriptedConnection(this, options)
        this.connections.push(connection)
        return Promise.resolve(connection)
      },
      history: () => history,
      catalog: async () => [],
    }
  }

  get connected(): boolean {
    return this.connections.at(-1)?.isOpen === true
  }

  get paused(): boolean {
    return this.connections.at(-1)?.paused === true
  }

  /** Sends trades over the newest connection. */
  frame(...trades: readonly MappedTrade[]): void {
    this.connections.at(-1)?.frame(...trades)
  }

  malformed(frame: string): void {
    this.connections.at(-1)?.malformed(frame)
  }

  cut(reason: string): void {
    this.connections.at(-1)?.cut(reason)
  }
}

export class ScriptedConnection implements FeedConnection {
  readonly closed: Promise<string>
  paused = false
  isOpen = true
  readonly #venue: ScriptedVenue
  readonly #options: ConnectOptions
  readonly #end = Promise.withResolvers<string>()
  #resumed = Promise.withResolvers<void>()

  constructor(venue: ScriptedVenue, options: ConnectOptions) {
    this.#venue = venue
    this.#options = options
    this.closed = this.#end.promise
    options.signal.addEventListener('abort', () => this.cut('ended by us'), { once: true })
  }

  frame(...trades: readonly MappedTrade[]): void {
    if (this.isOpen) this.#options.handlers.trades(trades, 'scripted frame')
  }

  malformed(frame: string): void {
    if (this.isOpen) this.#options.handlers.malformed(frame, 'scripted')
  }

  /** The venue announces that it ends this connection. */
  announceEnd(message: string): void {
    this.#options.handlers.closing?.(message)
  }

  cut(reason: string): void {
    this.isOpen = false
    this.#end.resolve(reason)
  }

  async subscribe(): Promise<{ readonly refused: readonly string[] }> {
    this.#venue.beforeAnswer()
    await this.#answerRead()
    this.#venue.subscriptions += 1
    return { refused: this.#venue.refused }
  }

  async venueTime(): Promise<number | undefined> {
    await this.#answerRead()
    this.#venue.asked += 1
    const { times } = this.#venue
    return times.length > 1 ? times.shift() : times[0]
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
    this.#resumed.resolve()
    this.#resumed = Promise.withResolvers()
  }

  [Symbol.dispose](): void {
    this.cut('ended by us')
  }

  /** An answer, as any frame, comes only while the connection is read. */
  async #answerRead(): Promise<void> {
    while (this.isOpen && this.paused) await Promise.race([this.#resumed.promise, this.closed])
    if (!this.isOpen) throw new ConnectionLost('cut')
  }
}
