import type { CandleQuality, KnownGap } from '@tickertape/market-model'
import type { SequenceSet } from './sequence-set.ts'
import { worstQuality } from './quality.ts'

/** What one instrument's windows have to do with a feed's gaps. */
interface Missing {
  readonly instrumentId: string
  /** Sequences that were taken. */
  readonly seen: SequenceSet
}

/** The gaps that a feed announced and that may still touch a window. */
export class FeedGaps {
  /** By gapId: the whole feed's record under null, those of instruments under their id. */
  readonly #byId = new Map<string, Map<string | null, KnownGap>>()

  #latestEnd = -Infinity

  get isEmpty(): boolean {
    return this.#byId.size === 0
  }

  /**
   * The latest record of a gap stands. One that was open holds what it held, until windows are forgotten
   * the next time.
   */
  announce(gap: Omit<KnownGap, 'heldFrom'>, forgottenUntil: number): void {
    const known = this.#byId.get(gap.gapId)
    // An instrument's first record of its own goes on from that of the whole feed.
    const before = known?.get(gap.instrumentId) ?? known?.get(null)
    const heldFrom = before?.heldFrom ?? (gap.state === 'open' ? forgottenUntil : null)
    this.put({ ...gap, heldFrom })
  }

  put(gap: KnownGap): void {
    this.#latestEnd = Math.max(this.#latestEnd, gap.toTime)
    const known = this.#byId.get(gap.gapId)
    if (known === undefined) this.#byId.set(gap.gapId, new Map([[gap.instrumentId, gap]]))
    else known.set(gap.instrumentId, gap)
  }

  /** All that is known under a gapId, of the feed and of instruments. */
  under(gapId: string): readonly KnownGap[] {
    return [...(this.#byId.get(gapId)?.values() ?? [])]
  }

  *all(): Generator<KnownGap> {
    for (const known of this.#byId.values()) yield* known.values()
  }

  /** An instrument's own record comes before that of the whole feed under the same gapId. */
  *concerning(instrumentId: string): Generator<KnownGap> {
    for (const known of this.#byId.values()) {
      const gap = known.get(instrumentId) ?? known.get(null)
      if (gap !== undefined) yield gap
    }
  }

  /** What gaps make of the quality of a window [start, end). */
  quality(base: CandleQuality, missing: Missing, start: number, end: number): CandleQuality {
    // Nearly every window is behind all gaps.
    if (start >= this.#latestEnd) return base
    let worst = base
    for (const gap of this.concerning(missing.instrumentId)) {
      if (gap.fromTime >= end || gap.toTime <= start) continue
      worst = worstQuality(worst, isFilled(gap, missing) ? 'backfilled' : 'gap')
    }
    return worst
  }

  /** What a sequence that was taken may have filled: gaps of the instrument that have it. */
  filledBy(missing: Missing, sequence: number): KnownGap[] {
    const filled: KnownGap[] = []
    for (const gap of this.concerning(missing.instrumentId)) {
      if (gap.fromSequence === null || gap.toSequence === null || gap.instrumentId === null)
        continue
      if (sequence < gap.fromSequence || sequence > gap.toSequence) continue
      if (missing.seen.hasRange(gap.fromSequence, gap.toSequence)) filled.push(gap)
    }
    return filled
  }

  /** Whether an open gap keeps the windows inside [start, end) from being forgotten. */
  holds(instrumentId: string, start: number, end: number): boolean {
    if (this.#byId.size === 0) return false
    for (const { heldFrom, fromTime, toTime } of this.concerning(instrumentId)) {
      if (heldFrom !== null && end > heldFrom && fromTime < end && toTime > start) return true
    }
    return false
  }

  /**
   * Gaps that are not open any more, or that end at or before a time, hold nothing from here on.
   *
   * @returns whether one held something.
   */
  release(endsUntil: number): boolean {
    let released = false
    for (const gap of this.all()) {
      if (gap.heldFrom === null || (gap.state === 'open' && gap.toTime > endsUntil)) continue
      this.put({ ...gap, heldFrom: null })
      released = true
    }
    return released
  }

  /**
   * Forgets gaps that touch no window any more: past the horizon, and not in a window of the longest
   * interval that a gap holds a part of.
   */
  forget(forgottenUntil: number, longestMs: number): void {
    const isHeld = ({ fromTime, toTime }: KnownGap) =>
      [...this.all()].some(
        (other) =>
          other.heldFrom !== null &&
          fromTime < Math.ceil(other.toTime / longestMs) * longestMs &&
          toTime > Math.floor(other.fromTime / longestMs) * longestMs,
      )
    for (const [gapId, known] of this.#byId) {
      const records = [...known.values()]
      const isOver = records.every(
        (gap) => Math.ceil(gap.toTime / longestMs) * longestMs <= forgottenUntil && !isHeld(gap),
      )
      // An instrument's own record outlives none of the whole feed: it would speak for it again.
      if (isOver) this.#byId.delete(gapId)
    }
    this.#latestEnd = Math.max(...[...this.all()].map(({ toTime }) => toTime), -Infinity)
  }
}

function isFilled(gap: KnownGap, { seen }: Missing): boolean {
  if (gap.state === 'backfilled') return true
  const { instrumentId, fromSequence, toSequence } = gap
  if (instrumentId === null || fromSequence === null || toSequence === null) return false
  return seen.hasRange(fromSequence, toSequence)
}
