import { setTimeout as delay } from 'node:timers/promises'

import type { SequenceGap } from '@tickertape/market-model'

import { backoffMs } from './backoff.ts'
import type { BackoffBounds } from './backoff.ts'
import { CursorAhead, maxHistoryLag } from './cursor-ahead.ts'
import type { InstrumentDelivery, OfferedCounts } from './instrument-delivery.ts'
import type { MarketLog } from './market-log.ts'
import { RestError } from './rest-client.ts'
import type { HistoryPage, TradeHistory } from './trade-history.ts'
import { untilAborted } from './until-aborted.ts'

export interface HoleFillerOptions {
  readonly history: TradeHistory
  readonly log: MarketLog
  /** Requests without any progress before a hole is given up. */
  readonly tries: number
  readonly backoff: BackoffBounds
  /** The venue's time, as far as it is known. */
  readonly venueTime: () => number
  /** The last heartbeat's; undefined before the first one. */
  readonly upTo: () => number | undefined
  readonly onPage: (delivery: InstrumentDelivery, counts: OfferedCounts) => void
  readonly onFailure: (delivery: InstrumentDelivery, error: RestError, tries: number) => void
  readonly onGap: (gap: SequenceGap) => void
}

/** Fetches what an instrument misses from the venue's history. */
export class HoleFiller {
  readonly #options: HoleFillerOptions

  constructor(options: HoleFillerOptions) {
    this.#options = options
  }

  /**
   * Fetches everything up to the venue's present, then closes the holes that are left.
   *
   * @throws CursorAhead if the venue's present lies before the instrument's position.
   */
  async catchUp(delivery: InstrumentDelivery, signal: AbortSignal): Promise<void> {
    if (delivery.beginning === 'with the stream') return
    const { history, onPage } = this.#options
    const { position } = delivery
    let atPresent = false
    delivery.awaitHistory()
    await this.#fetchUntil(delivery, signal, (last) => {
      atPresent = last?.hasMore === false
      if (atPresent) return undefined
      const from = delivery.position === undefined ? history.firstSequence : delivery.position + 1
      return { from, to: undefined }
    })
    if (atPresent && delivery.position === position) await this.#requireBehind(delivery, signal)
    if (delivery.position === undefined) {
      const counts = { delivered: 0, duplicates: 0, rejected: 0 }
      delivery.takeNextAsFirst(counts)
      onPage(delivery, counts)
    }
    await this.fill(delivery, signal)
  }

  /** Closes the holes in front of what waits. */
  async fill(delivery: InstrumentDelivery, signal: AbortSignal): Promise<void> {
    await this.#fetchUntil(delivery, signal, () => delivery.hole)
  }

  async #fetchUntil(
    delivery: InstrumentDelivery,
    signal: AbortSignal,
    wanted: (
      last: HistoryPage | undefined,
    ) => { readonly from: number; readonly to: number | undefined } | undefined,
  ): Promise<void> {
    const { backoff, history, log, tries } = this.#options
    let failures = 0
    let last: HistoryPage | undefined
    for (let range = wanted(last); range !== undefined; range = wanted(last)) {
      const before = delivery.position
      await untilAborted(log.whenRoom(), signal)
      const { from, to } = range
      const answer = await this.#ask(delivery, failures, () =>
        history.page(delivery.instrument, from, to, signal),
      )
      const page = answer === 'refused' || answer === 'failed' ? undefined : answer
      if (page !== undefined) {
        last = page
        this.#offer(delivery, page)
        if (range.to === undefined && !page.hasMore) continue
      }
      if (delivery.position !== before) {
        failures = 0
        continue
      }
      failures += 1
      // What is refused is refused again.
      if (failures >= tries || answer === 'refused') {
        this.#giveUp(delivery)
        failures = 0
        // Without an answer there is nothing to tell the end of the history by.
        if (page === undefined && range.to === undefined) return
        continue
      }
      await delay(backoffMs(failures, backoff, Math.random()), undefined, { signal })
    }
  }

  /** Nothing came behind the position: either nothing has happened, or the venue is not there yet. */
  async #requireBehind(delivery: InstrumentDelivery, signal: AbortSignal): Promise<void> {
    const { backoff, history, tries } = this.#options
    const { cursor } = delivery
    if (typeof cursor?.sequence !== 'number') return
    for (let failures = 0; failures < tries; failures += 1) {
      if (failures > 0)
        await delay(backoffMs(failures, backoff, Math.random()), undefined, { signal })
      const newest = await this.#ask(delivery, failures, () =>
        history.newest(delivery.instrument, signal),
      )
      if (newest === 'failed') continue
      if (newest === 'refused') return
      // A venue without any trade stands before its first one.
      const sequence = newest === undefined ? history.firstSequence - 1 : newest.sequence
      if (typeof sequence !== 'number' || cursor.sequence - sequence <= maxHistoryLag) return
      throw new CursorAhead(cursor, sequence)
    }
  }

  async #ask<T>(
    delivery: InstrumentDelivery,
    failures: number,
    ask: () => Promise<T>,
  ): Promise<T | 'refused' | 'failed'> {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof RestError)) throw error
      this.#options.onFailure(delivery, error, failures + 1)
      return error.code === 'refused' ? 'refused' : 'failed'
    }
  }

  #offer(delivery: InstrumentDelivery, page: HistoryPage): void {
    const counts = { delivered: 0, duplicates: 0, rejected: 0 }
    for (const trade of page.trades) delivery.offer(trade, counts)
    if (delivery.position === undefined) delivery.beginWithWaiting(counts)
    this.#options.onPage(delivery, counts)
  }

  #giveUp(delivery: InstrumentDelivery): void {
    const counts = { delivered: 0, duplicates: 0, rejected: 0 }
    const { onGap, upTo, venueTime } = this.#options
    const gap = delivery.giveUp({ upTo: upTo(), until: venueTime() }, counts)
    if (gap !== undefined) onGap(gap)
    this.#options.onPage(delivery, counts)
  }
}
