import type { Feed, TradeFilter } from './feed.ts'
import type { SeededTrade } from './market/market.ts'
import type { SeededMarket } from './market/seeded-market.ts'
import type { SentTrades } from './sent-trades.ts'

/** Slices end at multiples of this, so that frames of all channels go out in order of time. */
export const sliceStepMs = 100

export interface SeededFeedOptions {
  readonly market: SeededMarket
  readonly sent: SentTrades
  readonly withholds: TradeFilter
  /** Undefined for a channel that carries no trades. */
  readonly channel: (
    name: string,
  ) => { readonly instruments: readonly string[]; readonly sliceMs: number } | undefined
  readonly publish: (channel: string, trades: readonly SeededTrade[]) => void
  readonly start: number
}

interface Cursor {
  readonly channel: string
  readonly sliceMs: number
  /** By instrument: the first sequence that is not published yet. */
  readonly next: Map<string, number>
}

/** Cuts a seeded market into the frames of the channels that somebody listens to. */
export class SeededFeed implements Feed {
  readonly #options: SeededFeedOptions
  readonly #cursors = new Map<string, Cursor>()
  /** Every finished slice up to here is published. */
  #through: number

  constructor(options: SeededFeedOptions) {
    this.#options = options
    this.#through = options.start
  }

  /** Begins with the trades after the last `advance`; earlier ones are history. */
  open(name: string): void {
    const { channel, market } = this.#options
    const description = channel(name)
    if (description === undefined || this.#cursors.has(name)) return
    const next = description.instruments.map(
      (instrument) => [instrument, market.nextSequence(instrument, this.#through)] as const,
    )
    this.#cursors.set(name, {
      channel: name,
      sliceMs: description.sliceMs,
      next: new Map(next),
    })
  }

  close(name: string): void {
    this.#cursors.delete(name)
  }

  advance(to: number, flush: boolean): void {
    if (this.#cursors.size > 0) {
      let end = (Math.floor(this.#through / sliceStepMs) + 1) * sliceStepMs
      for (; end <= to; end += sliceStepMs) {
        for (const cursor of this.#cursors.values()) {
          if (end % cursor.sliceMs === 0) this.#publishUntil(cursor, end - 1)
        }
      }
      for (const cursor of this.#cursors.values()) {
        if (flush || cursor.sliceMs === 1) this.#publishUntil(cursor, to)
      }
    }
    this.#through = Math.max(this.#through, to)
  }

  #publishUntil(cursor: Cursor, time: number): void {
    const { market, publish, sent, withholds } = this.#options
    const trades: SeededTrade[] = []
    for (const [instrument, first] of cursor.next) {
      const end = market.nextSequence(instrument, time)
      for (let sequence = first; sequence < end; sequence += 1) {
        if (withholds(instrument, sequence)) continue
        trades.push(market.trade(instrument, sequence))
        sent.add(instrument, sequence)
      }
      if (end > first) cursor.next.set(instrument, end)
    }
    if (trades.length === 0) return
    if (cursor.next.size > 1) trades.sort((one, other) => one.eventTime - other.eventTime)
    publish(cursor.channel, trades)
  }
}
