import type { SequenceGap } from '@tickertape/market-model'

import { noneOffered } from './delivery.ts'
import type { Beginning, DeliveryNames, OfferedCounts, Place } from './delivery.ts'
import type { MappedTrade } from './mapped-trade.ts'
import type { MarketLog } from './market-log.ts'
import { SequenceTracker } from './sequence-tracker.ts'
import type { Hole } from './sequence-tracker.ts'

export interface InstrumentDeliveryOptions extends DeliveryNames {
  readonly log: MarketLog
}

type Sequenced = MappedTrade & { readonly sequence: number }

/** A gap of one instrument whose sequences are known. */
type HoleGap = SequenceGap & { readonly fromSequence: number; readonly toSequence: number }

/**
 * One instrument's way into the log: in the order of its sequence, without holes, each trade once. A hole
 * is announced as a SequenceGap before anything is written from behind it, and again when it is filled or
 * given up.
 */
export class InstrumentDelivery {
  readonly kind = 'sequenced'
  readonly instrument: string
  readonly instrumentId: string
  readonly #options: InstrumentDeliveryOptions
  readonly #tracker: SequenceTracker<Sequenced>
  #beginning: Beginning
  #takesNextAsFirst = false
  /** Announced and not over, by gapId. */
  readonly #gaps = new Map<string, HoleGap>()
  /** `listed` is announced. */
  listed = false

  constructor(options: InstrumentDeliveryOptions) {
    const { cursor } = options
    this.#options = options
    this.instrument = options.instrument
    this.instrumentId = options.instrumentId
    this.#tracker = new SequenceTracker<Sequenced>({
      ...(typeof cursor?.sequence === 'number' ? { position: cursor.sequence } : {}),
      // A cursor without a time has 0.
      time: cursor?.eventTime || undefined,
      timeOf: (mapped) => (mapped.kind === 'trade' ? mapped.trade.eventTime : undefined),
    })
    this.#beginning =
      cursor === undefined ? 'unknown' : cursor.sequence === null ? 'at the first trade' : 'known'
  }

  get beginning(): Beginning {
    return this.#beginning
  }

  /** Last sequence up to which nothing is missing. */
  get position(): number | undefined {
    return this.#tracker.position
  }

  /** What is missing before trades that wait for it. */
  get hole(): Hole | undefined {
    return this.#tracker.hole
  }

  /** What is missing, the most urgent first: trades wait for a hole, and nothing for one set aside. */
  get missing(): { readonly which: 'aside' | 'first'; readonly hole: Hole } | undefined {
    const { aside, hole } = this.#tracker
    if (hole !== undefined) return { which: 'first', hole }
    return aside === undefined ? undefined : { which: 'aside', hole: aside }
  }

  /** Whether nothing is known to be missing. */
  get isWhole(): boolean {
    return this.missing === undefined
  }

  get waitingCount(): number {
    return this.#tracker.waitingCount
  }

  /**
   * Up to when nothing is missing, whatever is missing behind it; the last trade's own millisecond may
   * have more. undefined if no time is known.
   */
  get deliveredUpTo(): number | undefined {
    const { positionTime } = this.#tracker
    return positionTime === undefined ? undefined : positionTime - 1
  }

  /**
   * The hint for the next start; undefined while there is nothing to say. Without a sequence it says
   * that the venue had no trade yet.
   */
  get cursor(): Place | undefined {
    const { feedId, replicaId, instrument } = this.#options
    if (this.position === undefined && this.#beginning !== 'at the first trade') return undefined
    return {
      feedId,
      replicaId,
      instrument,
      sequence: this.position ?? null,
      eventTime: this.#tracker.positionTime ?? 0,
      tradeIds: [],
    }
  }

  /** @param newest the venue's last trade before we subscribe; undefined if there is none. */
  beginBehind(newest: MappedTrade | undefined): void {
    if (newest === undefined) {
      this.#beginning = 'at the first trade'
    } else if (typeof newest.sequence !== 'number') {
      this.beginWithStream()
    } else {
      this.#beginning = 'known'
      const time = newest.kind === 'trade' ? newest.trade.eventTime : undefined
      this.#write(this.#tracker.begin(newest.sequence, time), noneOffered())
    }
  }

  /** The venue had no trade when we began: whatever is missing from this sequence on is ours. */
  beginAt(sequence: number): void {
    this.#write(this.#tracker.begin(sequence - 1), noneOffered())
    this.#beginning = 'known'
  }

  beginWithStream(): void {
    this.#beginning = 'with the stream'
    this.#takesNextAsFirst = true
  }

  /** From now on trades wait until the history has told what comes before them. */
  awaitHistory(): void {
    this.#takesNextAsFirst = false
  }

  /** The history holds no trade at all: the stream's next one is the first. */
  takeNextAsFirst(counts: OfferedCounts): void {
    this.#takesNextAsFirst = true
    this.beginWithWaiting(counts)
  }

  /** What waits is all that there is; nothing happens if nothing waits or the beginning is known. */
  beginWithWaiting(counts: OfferedCounts): void {
    this.#write(this.#tracker.beginWithWaiting(), counts)
    if (this.position !== undefined) this.#beginning = 'known'
  }

  /** Takes a trade from the stream or from the history, in whatever order they bring it. */
  offer(mapped: MappedTrade, counts: OfferedCounts): void {
    if (typeof mapped.sequence !== 'number') {
      this.#reject(mapped, counts)
      return
    }
    // Narrowed above: TypeScript does not carry it over the union.
    const sequenced = mapped as Sequenced
    const offered = this.#tracker.offer(sequenced.sequence, sequenced)
    if (offered.outcome === 'accepted') this.#write(offered.ready, counts)
    else if (offered.outcome === 'duplicate') counts.duplicates += 1
    else if (this.#takesNextAsFirst) this.beginWithWaiting(counts)
  }

  /**
   * Announces the hole that trades wait for, once.
   *
   * @returns the gap, if it was not announced before.
   */
  announceHole(venueTime: number): SequenceGap | undefined {
    const { hole } = this.#tracker
    if (hole === undefined || this.#gapAround(hole) !== undefined) return undefined
    const gap = this.#gapOfHole(hole, venueTime)
    this.#gaps.set(gap.gapId, gap)
    this.#options.log.gap(gap)
    return gap
  }

  /** Announces the hole and goes on without it; it can still be filled. */
  setAside(venueTime: number, counts: OfferedCounts): SequenceGap | undefined {
    const gap = this.announceHole(venueTime)
    this.#write(this.#tracker.setAside(), counts)
    return gap
  }

  /**
   * Announces what is missing as unrecoverable and goes on without it. The gap begins with the last
   * trade before it, though heartbeats may have passed that: what they said was not true then, and
   * readers learn it.
   */
  giveUp(venueTime: number, counts: OfferedCounts): SequenceGap | undefined {
    const { missing } = this
    if (missing === undefined) return undefined
    const { hole, which } = missing
    const told =
      which === 'first' ? this.#gapOfHole(hole, venueTime) : this.#gapOfAside(hole, venueTime)
    const { gapId } = this.#gapAround(hole) ?? told
    const gap: HoleGap = { ...told, gapId, state: 'unrecoverable' }
    this.#gaps.delete(gapId)
    this.#options.log.gap(gap)
    this.#write(this.#tracker.giveUp(which), counts)
    return gap
  }

  #gapAround({ from, to }: Hole): HoleGap | undefined {
    return this.#gaps
      .values()
      .find(({ fromSequence, toSequence }) => fromSequence <= from && to <= toSequence)
  }

  /** Of the hole that trades wait for. */
  #gapOfHole(hole: Hole, venueTime: number): HoleGap {
    const { frontTime, lowestWaiting } = this.#tracker
    const next = lowestWaiting?.kind === 'trade' ? lowestWaiting.trade.eventTime : venueTime
    return this.#gapOf(hole, frontTime, next + 1)
  }

  /** Of the lowest one that was set aside, which was announced, or is part of what was. */
  #gapOfAside(hole: Hole, venueTime: number): HoleGap {
    const toTime = this.#gapAround(hole)?.toTime ?? (this.#tracker.frontTime ?? venueTime) + 1
    return this.#gapOf(hole, this.#tracker.positionTime, toTime)
  }

  /** Its id is the same after a restart. */
  #gapOf({ from, to }: Hole, fromTime: number | undefined, toTime: number): HoleGap {
    const { feedId, replicaId, instrumentId } = this.#options
    return {
      gapId: `${feedId}|${replicaId}|${instrumentId}|${from}`,
      feedId,
      replicaId,
      instrumentId,
      // A trade further on in the sequence may have an earlier time.
      fromTime: Math.min(fromTime ?? toTime - 1, toTime - 1),
      toTime,
      fromSequence: from,
      toSequence: to,
      state: 'open',
    }
  }

  #write(ready: readonly Sequenced[], counts: OfferedCounts): void {
    for (const mapped of ready) {
      if (mapped.kind === 'rejected') {
        this.#reject(mapped, counts)
      } else {
        this.#options.log.trade(mapped.trade)
        counts.delivered += 1
      }
    }
    if (this.#gaps.size > 0) this.#closeGaps()
  }

  #closeGaps(): void {
    for (const [gapId, gap] of this.#gaps) {
      if (this.#tracker.misses({ from: gap.fromSequence, to: gap.toSequence })) continue
      this.#gaps.delete(gapId)
      this.#options.log.gap({ ...gap, state: 'backfilled' })
    }
  }

  #reject(mapped: MappedTrade, counts: OfferedCounts): void {
    if (mapped.kind !== 'rejected') return
    this.#options.log.reject({ ...mapped, instrumentId: this.instrumentId })
    counts.rejected += 1
  }
}
