import type { SequenceGap } from '@tickertape/market-model'

import type { Delivery } from './delivery.ts'
import type { MarketLog } from './market-log.ts'

export interface FeedGapsOptions {
  readonly feedId: string
  readonly replicaId: string
  readonly log: Pick<MarketLog, 'gap'>
}

interface Span {
  readonly fromTime: number
  readonly toTime: number
}

/** How long an instrument that the venue does not deliver is said to miss everything, in ms. */
const darkMs = 86_400_000

/**
 * What a feed says of the times at which it heard nothing: a gap of the whole feed, which closes instrument
 * by instrument, each under the same gapId, as it is known what happened; and when none is left, as a whole.
 * A second absence before that goes on from the first one's beginning.
 */
export class FeedGaps {
  readonly #options: FeedGapsOptions
  #feed: SequenceGap | undefined
  /** Open gaps that have to do with an instrument, as its own records. */
  readonly #open = new Map<string, SequenceGap[]>()
  /** Of instruments that the venue does not deliver now. */
  readonly #dark = new Map<string, SequenceGap>()

  constructor(options: FeedGapsOptions) {
    this.#options = options
  }

  /** Where the oldest gap of the whole feed begins that is open. */
  get openFrom(): number | undefined {
    return this.#feed?.fromTime
  }

  concerns({ instrumentId }: Delivery): boolean {
    return this.#open.has(instrumentId)
  }

  /**
   * Nothing was heard of these instruments in a time.
   *
   * @param isKnown whether a gap from the same time on may be in the log, closed for some of them: a
   *   process before this one declared it, and the log's latest record of each stands.
   */
  declare(
    { fromTime, toTime }: Span,
    deliveries: Iterable<Delivery>,
    isKnown: boolean,
  ): SequenceGap {
    const before = this.#feed
    const { feedId, replicaId } = this.#options
    const from = before?.fromTime ?? fromTime
    const to = Math.max(toTime, before?.toTime ?? 0, from + 1)
    const gap = this.#gap(`${feedId}|${replicaId}|${from}`, null, { fromTime: from, toTime: to })
    this.#feed = gap
    this.#options.log.gap(gap)
    for (const { instrumentId } of deliveries) {
      const own = { ...gap, instrumentId }
      const others = this.#open.get(instrumentId) ?? []
      const isOpen = others.some(({ gapId }) => gapId === gap.gapId)
      this.#open.set(instrumentId, [...others.filter(({ gapId }) => gapId !== gap.gapId), own])
      if (isKnown || (before !== undefined && !isOpen)) this.#options.log.gap(own)
    }
    return gap
  }

  /** The same of one instrument, while all others go on. */
  declareOne(span: Span, { instrumentId }: Delivery): SequenceGap {
    const gap = this.#gapOfOne(span, instrumentId)
    this.#open.set(instrumentId, [...(this.#open.get(instrumentId) ?? []), gap])
    this.#options.log.gap(gap)
    return gap
  }

  /** From now on the venue does not deliver an instrument, nobody knows how long. */
  darken({ instrumentId }: Delivery, fromTime: number): SequenceGap | undefined {
    const known = this.#dark.get(instrumentId)
    const span = { fromTime: known?.fromTime ?? fromTime, toTime: fromTime + darkMs }
    const gap = this.#gapOfOne(span, instrumentId)
    this.#dark.set(instrumentId, gap)
    this.#options.log.gap(gap)
    return gap
  }

  /**
   * The venue delivers an instrument again.
   *
   * @returns whether it did not before: what was missed is open until it is closed.
   */
  lighten({ instrumentId }: Delivery, toTime: number): boolean {
    const dark = this.#dark.get(instrumentId)
    if (dark === undefined) return false
    this.#dark.delete(instrumentId)
    const gap = { ...dark, toTime: Math.max(toTime, dark.fromTime + 1) }
    this.#open.set(instrumentId, [...(this.#open.get(instrumentId) ?? []), gap])
    this.#options.log.gap(gap)
    return true
  }

  /**
   * It is known now what happened to an instrument.
   *
   * @param span what is lost, if that is less than the gap.
   */
  close(
    { instrumentId }: Delivery,
    state: 'backfilled' | 'unrecoverable',
    span: Span | undefined,
  ): readonly SequenceGap[] {
    const closed = (this.#open.get(instrumentId) ?? []).map((gap) => ({ ...gap, ...span, state }))
    this.#open.delete(instrumentId)
    for (const gap of closed) this.#options.log.gap(gap)
    this.#closeFeed()
    return closed
  }

  /** The instrument is no longer read: what happened to it stays as it was told. */
  forget({ instrumentId }: Delivery): void {
    this.#dark.delete(instrumentId)
    if (this.#open.delete(instrumentId)) this.#closeFeed()
  }

  #closeFeed(): void {
    const feed = this.#feed
    if (feed === undefined) return
    const isOpen = this.#open
      .values()
      .some((gaps) => gaps.some(({ gapId }) => gapId === feed.gapId))
    if (isOpen) return
    this.#feed = undefined
    // Each instrument has a record of its own, which comes before this one.
    this.#options.log.gap({ ...feed, state: 'backfilled' })
  }

  #gapOfOne(span: Span, instrumentId: string): SequenceGap {
    const { feedId, replicaId } = this.#options
    const gapId = `${feedId}|${replicaId}|${instrumentId}|t${span.fromTime}`
    return this.#gap(gapId, instrumentId, span)
  }

  #gap(gapId: string, instrumentId: string | null, { fromTime, toTime }: Span): SequenceGap {
    const { feedId, replicaId } = this.#options
    return {
      gapId,
      feedId,
      replicaId,
      instrumentId,
      fromTime,
      toTime: Math.max(toTime, fromTime + 1),
      fromSequence: null,
      toSequence: null,
      state: 'open',
    }
  }
}
