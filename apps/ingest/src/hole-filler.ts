import { setTimeout as delay } from 'node:timers/promises'

import type { SequenceGap } from '@tickertape/market-model'

import { backoffMs } from './backoff.ts'
import type { BackoffBounds } from './backoff.ts'
import { CursorAhead, maxHistoryLag } from './cursor-ahead.ts'
import { noneOffered } from './delivery.ts'
import type { Delivery, OfferedCounts } from './delivery.ts'
import type { InstrumentDelivery } from './instrument-delivery.ts'
import type { MappedTrade } from './mapped-trade.ts'
import type { MarketLog } from './market-log.ts'
import { RestError } from './rest-client.ts'
import { hasSequences } from './trade-history.ts'
import type { HistoryPage, TradeHistory, VenueHistory } from './trade-history.ts'
import type { UnsequencedDelivery } from './unsequenced-delivery.ts'
import { untilAborted } from './until-aborted.ts'

export interface HoleFillerOptions {
  readonly history: VenueHistory
  readonly log: MarketLog
  /** Answers without any progress before a hole is given up; a venue that does not answer is waited for. */
  readonly tries: number
  readonly backoff: BackoffBounds
  /** The venue's time, as far as it is known. */
  readonly venueTime: () => number
  readonly onPage: (delivery: Delivery, counts: OfferedCounts) => void
  readonly onFailure: (delivery: Delivery, error: RestError, tries: number) => void
  /** A hole was given up. */
  readonly onGap: (gap: SequenceGap) => void
}

/** What is known of an instrument behind a cut. */
export type CaughtUp =
  /** Everything was delivered, or announced as lost. */
  | { readonly outcome: 'whole' }
  /** The venue refuses to tell: only the next trade's sequence does. */
  | { readonly outcome: 'unproven' }
  /** The venue tells no more of a time. */
  | { readonly outcome: 'lost'; readonly fromTime: number; readonly toTime: number }

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
  async catchUp(delivery: Delivery, signal: AbortSignal): Promise<CaughtUp> {
    const { history } = this.#options
    if (delivery.kind === 'unsequenced') {
      if (hasSequences(history)) throw new TypeError('A venue with sequences has no last trades')
      const recent = (): Promise<Recent> => history.recent(delivery.instrument, signal)
      return await this.#match(delivery, recent, signal)
    }
    const told =
      delivery.beginning === 'with the stream'
        ? 'refused'
        : await this.#toPresent(delivery, this.#sequenced, signal)
    await this.fill(delivery, signal)
    return told === 'refused' ? { outcome: 'unproven' } : { outcome: 'whole' }
  }

  /** Closes the holes in front of what waits, and those that are set aside. */
  async fill(delivery: Delivery, signal: AbortSignal): Promise<void> {
    if (delivery.kind === 'unsequenced') return
    let idle = 0
    let failures = 0
    for (let { missing } = delivery; missing !== undefined; { missing } = delivery) {
      const { from, to } = missing.hole
      const answer = await this.#page(delivery, this.#sequenced, { from, to, failures }, signal)
      const now = delivery.missing
      const hasMoved = now?.hole.from !== from || now.hole.to !== to
      failures = answer === 'failed' ? failures + 1 : 0
      idle = hasMoved ? 0 : idle + (answer === 'failed' ? 0 : 1)
      if (hasMoved) continue
      // What is refused is refused again.
      if (answer === 'refused' || idle >= this.#options.tries) {
        this.#giveUp(delivery)
        idle = 0
      } else {
        await this.#wait(failures + idle, signal)
      }
    }
  }

  get #sequenced(): TradeHistory {
    const { history } = this.#options
    if (!hasSequences(history)) throw new TypeError('A venue without sequences has no pages')
    return history
  }

  async #toPresent(
    delivery: InstrumentDelivery,
    history: TradeHistory,
    signal: AbortSignal,
  ): Promise<'present' | 'refused'> {
    const { onPage } = this.#options
    const { position } = delivery
    let idle = 0
    let failures = 0
    let present: number | undefined
    delivery.awaitHistory()
    for (;;) {
      const before = delivery.position
      const from = before === undefined ? history.firstSequence : before + 1
      const answer = await this.#page(delivery, history, { from, to: undefined, failures }, signal)
      if (answer === 'refused') return 'refused'
      if (answer !== 'failed') {
        present ??= answer.newest
        // In a busy market there is always one more: what was not there when we asked comes by the stream.
        if (!answer.hasMore || (delivery.position ?? -1) >= (present ?? Infinity)) break
      }
      const hasMoved = delivery.position !== before
      failures = answer === 'failed' ? failures + 1 : 0
      idle = hasMoved || answer === 'failed' ? 0 : idle + 1
      if (idle >= this.#options.tries) {
        this.#giveUp(delivery)
        idle = 0
      } else if (!hasMoved) {
        await this.#wait(failures + idle, signal)
      }
    }
    if (delivery.position === position) await this.#requireBehind(delivery, history, signal)
    if (delivery.position === undefined) {
      const counts = noneOffered()
      delivery.takeNextAsFirst(counts)
      onPage(delivery, counts)
    }
    return 'present'
  }

  /** Nothing came behind the position: either nothing has happened, or the venue is not there yet. */
  async #requireBehind(
    delivery: InstrumentDelivery,
    history: TradeHistory,
    signal: AbortSignal,
  ): Promise<void> {
    const { cursor } = delivery
    if (typeof cursor?.sequence !== 'number') return
    for (let failures = 0; failures < this.#options.tries; failures += 1) {
      if (failures > 0) await this.#wait(failures, signal)
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

  async #match(
    delivery: UnsequencedDelivery,
    ask: () => Promise<Recent>,
    signal: AbortSignal,
  ): Promise<CaughtUp> {
    let failures = 0
    for (;;) {
      await untilAborted(this.#options.log.whenRoom(), signal)
      const { judged } = delivery
      if (judged === undefined) {
        await this.#wait(1, signal)
        continue
      }
      const recent = await this.#ask(delivery, failures, ask)
      if (recent === 'failed') {
        failures += 1
        await this.#wait(failures, signal)
        continue
      }
      // What was asked before a cut tells nothing of it.
      if (delivery.judged !== judged) continue
      const counts = noneOffered()
      const told = recent === 'refused' ? 'unknown' : recent
      const overlap = delivery.match(told, this.#options.venueTime(), counts)
      this.#options.onPage(delivery, counts)
      return overlap.outcome === 'whole' ? overlap : { ...overlap, outcome: 'lost' }
    }
  }

  async #page(
    delivery: InstrumentDelivery,
    history: TradeHistory,
    { from, to, failures }: { from: number; to: number | undefined; failures: number },
    signal: AbortSignal,
  ): Promise<HistoryPage | 'failed' | 'refused'> {
    await untilAborted(this.#options.log.whenRoom(), signal)
    const answer = await this.#ask(delivery, failures, () =>
      history.page(delivery.instrument, from, to, signal),
    )
    if (answer !== 'failed' && answer !== 'refused') this.#offer(delivery, answer)
    return answer
  }

  async #ask<T>(
    delivery: Delivery,
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

  async #wait(failures: number, signal: AbortSignal): Promise<void> {
    await delay(backoffMs(failures, this.#options.backoff, Math.random()), undefined, { signal })
  }

  #offer(delivery: InstrumentDelivery, page: HistoryPage): void {
    const counts = noneOffered()
    for (const trade of page.trades) delivery.offer(trade, counts)
    if (delivery.position === undefined) delivery.beginWithWaiting(counts)
    this.#options.onPage(delivery, counts)
  }

  #giveUp(delivery: InstrumentDelivery): void {
    const counts = noneOffered()
    const { onGap, onPage, venueTime } = this.#options
    const gap = delivery.giveUp(venueTime(), counts)
    if (gap !== undefined) onGap(gap)
    onPage(delivery, counts)
  }
}

type Recent = readonly MappedTrade[]
