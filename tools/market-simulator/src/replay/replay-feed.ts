import type { Feed, TradeFilter } from '../feed.ts'
import type { SentTrades } from '../sent-trades.ts'
import type { DueMessage } from './recording.ts'

export interface ReplayFeedOptions {
  /** Those of one venue, in file order. */
  readonly messages: readonly DueMessage[]
  readonly start: number
  readonly sent: SentTrades
  readonly withholds: TradeFilter
  readonly publish: (channel: string, raw: string) => boolean
}

/**
 * Sends recorded messages in file order as they fall due.
 *
 * Who was not subscribed at that moment has missed them, as at the venue: there is one place in the
 * recording for all.
 */
export class ReplayFeed implements Feed {
  readonly #options: ReplayFeedOptions
  #next = 0

  constructor(options: ReplayFeedOptions) {
    this.#options = options
    this.#next = options.messages.findIndex(({ dueAt }) => dueAt > options.start)
    if (this.#next === -1) this.#next = options.messages.length
  }

  open(): void {}

  close(): void {}

  advance(to: number): void {
    const { messages, publish, sent, withholds } = this.#options
    for (;;) {
      const message = messages[this.#next]
      if (message === undefined || message.dueAt > to) return
      this.#next += 1
      const { channel, raw, trades } = message
      // The raw text cannot be cut, so a message goes whole or not at all.
      if (trades.some(({ instrument, sequence }) => withholds(instrument, sequence))) continue
      if (!publish(channel, raw)) continue
      for (const { instrument, sequence } of trades) sent.add(instrument, sequence)
    }
  }
}
