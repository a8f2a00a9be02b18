import type { CandleEvent, CandleResource, Client, Notice, ResetReason } from '@tickertape/client'

import { CandleBook } from './candle-book.ts'
import type { Interval } from './view-state.ts'

/** Candles of a page of history, and the most that a chart takes. */
const pageSize = 500
const mostCandles = 20_000

export interface CandleFeedListener {
  /** Many candles came: draw all of it. */
  loaded(): void
  /** One candle came that is the last one, or stands where `previous` stood. */
  changed(candle: CandleResource, previous: CandleResource | undefined): void
  /** A closed window has changed. */
  revised(candle: CandleResource, previous: CandleResource): void
  /** A snapshot replaced the stream. */
  reset(reason: ResetReason): void
  failed(error: unknown): void
  noticed(notice: Notice): void
}

/**
 * History by REST and the stream behind it, in one book without a hole: the stream begins first, its snapshot
 * reaches back over what a page may lack, and whatever comes twice stands once.
 */
export class CandleFeed implements Disposable {
  readonly book: CandleBook
  readonly #client: Client
  readonly #instrument: string
  readonly #interval: Interval
  readonly #listener: CandleFeedListener
  readonly #ended = new AbortController()
  readonly #subscription: Disposable
  #previous: string | null | undefined
  #isLoading = false

  constructor(
    client: Client,
    instrument: string,
    interval: Interval,
    listener: CandleFeedListener,
  ) {
    this.book = new CandleBook(interval)
    this.#client = client
    this.#instrument = instrument
    this.#interval = interval
    this.#listener = listener
    this.#subscription = client.stream().candles(
      { instruments: [instrument], intervals: [interval], snapshot: 60 },
      {
        event: (event) => this.#take(event),
        error: (error) => listener.failed(error),
        notice: (notice) => listener.noticed(notice),
      },
    )
    void this.#load(undefined)
  }

  [Symbol.dispose](): void {
    this.#ended.abort()
    this.#subscription[Symbol.dispose]()
  }

  get hasEarlier(): boolean {
    return typeof this.#previous === 'string' && this.book.candles.length < mostCandles
  }

  /** Fetches the page before the first candle, if there is one and none is on its way. */
  loadEarlier(): void {
    if (!this.#isLoading && this.hasEarlier && typeof this.#previous === 'string') {
      void this.#load(this.#previous)
    }
  }

  /** Asks once more after a failure. */
  retry(): void {
    if (!this.#isLoading) void this.#load(this.#previous ?? undefined)
  }

  async #load(cursor: string | undefined): Promise<void> {
    this.#isLoading = true
    try {
      const page = await this.#client.candles(
        { instrument: this.#instrument, interval: this.#interval, limit: pageSize, cursor },
        { signal: this.#ended.signal },
      )
      this.book.noteGaps(page.gaps)
      this.book.applyAll(page.candles)
      this.#previous = page.previous
      this.#listener.loaded()
    } catch (error) {
      if (!this.#ended.signal.aborted) this.#listener.failed(error)
    } finally {
      this.#isLoading = false
    }
  }

  #take(event: CandleEvent): void {
    if (event.type === 'reset') {
      this.#listener.reset(event.reason)
      return
    }
    if (event.type === 'snapshot') {
      const known = this.book.last
      const first = event.candles[0]
      this.book.applyAll(event.candles)
      this.#listener.loaded()
      const reached = known === undefined || first === undefined
      if (!reached && first.windowStart > known.windowEnd) void this.#fill(known, first)
      return
    }
    const applied = this.book.apply(event.candle)
    if (applied.outcome === 'known') return
    if (applied.outcome === 'inserted') {
      this.#listener.loaded()
      return
    }
    const previous = applied.outcome === 'replaced' ? applied.previous : undefined
    this.#listener.changed(event.candle, previous)
    if (previous?.final === true) this.#listener.revised(event.candle, previous)
  }

  /** After an absence that the snapshot does not reach over. */
  async #fill(known: CandleResource, first: CandleResource): Promise<void> {
    let cursor: string | undefined
    try {
      do {
        const page = await this.#client.candles(
          {
            instrument: this.#instrument,
            interval: this.#interval,
            from: known.windowStart,
            to: first.windowStart,
            limit: 1_000,
            cursor,
          },
          { signal: this.#ended.signal },
        )
        this.book.noteGaps(page.gaps)
        this.book.applyAll(page.candles)
        cursor = page.candles.length === 0 ? undefined : (page.next ?? undefined)
        this.#listener.loaded()
        if ((page.candles.at(-1)?.windowEnd ?? 0) >= first.windowStart) return
      } while (cursor !== undefined && this.book.candles.length < mostCandles)
    } catch (error) {
      if (!this.#ended.signal.aborted) this.#listener.failed(error)
    }
  }
}
