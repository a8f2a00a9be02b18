import type { OpenGap, SequenceGap } from '@tickertape/market-model'

import type { Delivery } from './delivery.ts'
import type { MarketLog } from './market-log.ts'
import { untilAborted } from './until-aborted.ts'

export interface FeedGapsOptions {
  readonly feedId: string
  readonly replicaId: string
  readonly log: Pick<MarketLog, 'gap'>
  /** Writes the cursors, and resolves when they are acknowledged. */
  readonly remember: () => Promise<void>
}

interface Span {
  readonly fromTime: number
  readonly toTime: number
}

/** A gap that is about to be told. */
interface PlannedGap extends OpenGap {
  /** Of the instruments that it has to do with. */
  readonly instrumentIds: ReadonlySet<string>
}

/** Whose a gap is. */
type Instrument = Pick<Delivery, 'instrumentId'>

/** How long an instrument that the venue does not deliver is said to miss everything, in ms. */
const darkMs = 86_400_000

/**
 * What a feed says of the times at which it heard nothing: a gap of the whole feed, which closes instrument
 * by instrument, each under the same gapId, as it is known what happened; and when none is left, as a whole.
 * A second absence before that goes on from the first one's beginning. What is told open stands in the cursors before,
 * so that whoever goes on from them closes it.
 */
export class FeedGaps {
  readonly #options: FeedGapsOptions
  #feed: SequenceGap | undefined
  /** Open gaps that have to do with an instrument, as its own records. */
  readonly #open = new Map<string, SequenceGap[]>()
  /** Of instruments that the venue does not deliver now. */
  readonly #dark = new Map<string, SequenceGap>()
  readonly #planned = new Set<PlannedGap>()

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

  /** For an instrument's cursor: what may stand open in the log. */
  openOf({ instrumentId }: Delivery): readonly OpenGap[] {
    const open = (this.#open.get(instrumentId) ?? []).map(placeOf)
    const dark = this.#dark.get(instrumentId)
    const planned = [...this.#planned].filter(({ instrumentIds }) =>
      instrumentIds.has(instrumentId),
    )
    const all = [...open, ...(dark === undefined ? [] : [{ ...placeOf(dark), toTime: null }])]
    return [...planned.map(placeOf), ...all.filter(({ gapId }) => !isIn(planned, gapId))]
  }

  /**
   * Takes over what a process before this one may have left open.
   *
   * @param vouchedUpTo by all of the feed's cursors. While a gap of the feed is open that is where it begins: one from
   *   before is closed, but for an instrument whose cursor was not written since.
   */
  restore(
    { instrumentId }: Instrument,
    openGaps: readonly OpenGap[],
    vouchedUpTo: number | undefined,
  ): void {
    for (const { fromTime, gapId, toTime } of openGaps) {
      const span = { fromTime, toTime: toTime ?? fromTime + darkMs }
      const gap = this.#gap(gapId, instrumentId, span)
      if (toTime === null) {
        this.#dark.set(instrumentId, gap)
        continue
      }
      this.#open.set(instrumentId, [...(this.#open.get(instrumentId) ?? []), gap])
      if (gapId !== this.#feedGapId(fromTime) || fromTime < (vouchedUpTo ?? fromTime)) continue
      this.#feed = { ...gap, instrumentId: null }
    }
  }

  /**
   * Nothing was heard of these instruments in a time.
   *
   * @param isKnown whether a gap from the same time on may be in the log, closed for some of them: a
   *   process before this one declared it, and the log's latest record of each stands.
   * @throws the signal's reason.
   */
  async declare(
    { fromTime, toTime }: Span,
    deliveries: readonly Delivery[],
    isKnown: boolean,
    signal: AbortSignal,
  ): Promise<SequenceGap> {
    const before = this.#feed
    const from = before?.fromTime ?? fromTime
    const to = Math.max(toTime, before?.toTime ?? 0, from + 1)
    const gap = this.#gap(this.#feedGapId(from), null, { fromTime: from, toTime: to })
    await this.#remember([{ ...gap, instrumentIds: idsOf(deliveries) }], signal)
    this.#feed = gap
    this.#options.log.gap(gap)
    for (const { instrumentId } of deliveries) {
      const own = { ...gap, instrumentId }
      const others = this.#open.get(instrumentId) ?? []
      const isOpen = isIn(others, gap.gapId)
      this.#open.set(instrumentId, [...others.filter(({ gapId }) => gapId !== gap.gapId), own])
      if (isKnown || (before !== undefined && !isOpen)) this.#options.log.gap(own)
    }
    return gap
  }

  /**
   * The same of some instruments, while all others go on.
   *
   * @param isStill asked when it can be told, which is later: whether there is still something to tell.
   * @throws the signal's reason.
   */
  async declareOf(
    span: Span,
    deliveries: readonly Delivery[],
    signal: AbortSignal,
    isStill: (delivery: Delivery) => boolean = () => true,
  ): Promise<readonly SequenceGap[]> {
    const planned = deliveries.map(({ instrumentId }) => ({
      ...this.#gapOfOne(span, instrumentId),
      instrumentIds: new Set([instrumentId]),
    }))
    await this.#remember(planned, signal)
    return deliveries.filter(isStill).map((each) => this.#declareOne(span, each))
  }

  /** From now on the venue does not deliver some instruments, nobody knows how long. */
  async darken(
    deliveries: readonly Delivery[],
    fromTime: number,
    signal: AbortSignal,
  ): Promise<void> {
    const planned = deliveries
      .filter(({ instrumentId }) => !this.#dark.has(instrumentId))
      .map(({ instrumentId }) => ({
        ...placeOf(this.#gapOfOne({ fromTime, toTime: fromTime + darkMs }, instrumentId)),
        toTime: null,
        instrumentIds: new Set([instrumentId]),
      }))
    if (planned.length > 0) await this.#remember(planned, signal)
    for (const { instrumentId } of deliveries) {
      const known = this.#dark.get(instrumentId)
      const span = { fromTime: known?.fromTime ?? fromTime, toTime: fromTime + darkMs }
      const gap = this.#gapOfOne(span, instrumentId)
      this.#dark.set(instrumentId, gap)
      this.#options.log.gap(gap)
    }
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

  /** Nobody has any more what happened to an instrument in a time. */
  lose(span: Span, delivery: Delivery): readonly SequenceGap[] {
    if (!this.concerns(delivery)) this.#declareOne(span, delivery)
    return this.close(delivery, 'unrecoverable', span)
  }

  /**
   * The instrument is no longer read: nobody fetches what is open of it, and that its feed's gap closes as a whole says
   * nothing of it.
   *
   * @param time where a gap without an end does end.
   * @returns what is told now.
   */
  forget({ instrumentId }: Instrument, time: number): readonly SequenceGap[] {
    const dark = this.#dark.get(instrumentId)
    const ended = dark && { ...dark, toTime: Math.max(time, dark.fromTime + 1) }
    const open = [...(this.#open.get(instrumentId) ?? []), ...(ended ? [ended] : [])]
    const lost = open.map((gap) => ({ ...gap, state: 'unrecoverable' as const }))
    this.#dark.delete(instrumentId)
    this.#open.delete(instrumentId)
    for (const gap of lost) this.#options.log.gap(gap)
    this.#closeFeed()
    return lost
  }

  async #remember(planned: readonly PlannedGap[], signal: AbortSignal): Promise<void> {
    for (const each of planned) this.#planned.add(each)
    try {
      await untilAborted(this.#options.remember(), signal)
    } finally {
      for (const each of planned) this.#planned.delete(each)
    }
  }

  #declareOne(span: Span, { instrumentId }: Delivery): SequenceGap {
    const gap = this.#gapOfOne(span, instrumentId)
    this.#open.set(instrumentId, [...(this.#open.get(instrumentId) ?? []), gap])
    this.#options.log.gap(gap)
    return gap
  }

  #closeFeed(): void {
    const feed = this.#feed
    if (feed === undefined) return
    if (this.#open.values().some((gaps) => isIn(gaps, feed.gapId))) return
    this.#feed = undefined
    // Each instrument has a record of its own, which comes before this one.
    this.#options.log.gap({ ...feed, state: 'backfilled' })
  }

  #feedGapId(fromTime: number): string {
    const { feedId, replicaId } = this.#options
    return `${feedId}|${replicaId}|${fromTime}`
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

function placeOf({ fromTime, gapId, toTime }: OpenGap): OpenGap {
  return { gapId, fromTime, toTime }
}

function isIn(gaps: readonly OpenGap[], wanted: string): boolean {
  return gaps.some(({ gapId }) => gapId === wanted)
}

function idsOf(deliveries: readonly Delivery[]): ReadonlySet<string> {
  return new Set(deliveries.map(({ instrumentId }) => instrumentId))
}
