import type { GapResource } from '@tickertape/market-api'

/** A gap as last announced in one partition. */
export interface StoredGap extends GapResource {
  readonly partition: number
}

/** Whose gaps are asked for. */
export interface GapOwner {
  readonly instrumentId: string
  /** undefined: not known, and none of a whole feed are told. */
  readonly feedId: string | undefined
  readonly partition: number
}

/** Beyond that the oldest are forgotten, open ones last. */
const mostGaps = 40_000

/** Gaps in memory: the latest of them. */
export class KnownGaps {
  readonly #gaps = new Map<string, StoredGap>()
  /** By owner (an instrument, or a feed in a partition), latest end first; undefined: to be made. */
  #byOwner: Map<string, readonly StoredGap[]> | undefined
  #all: readonly GapResource[] | undefined

  /** Takes gaps, each in the place of what was known of it. */
  add(gaps: readonly StoredGap[]): void {
    if (gaps.length === 0) return
    for (const gap of gaps) {
      this.#gaps.set(`${gap.partition}|${gap.gapId}|${gap.instrumentId ?? ''}`, gap)
    }
    if (this.#gaps.size > mostGaps) this.#forget()
    this.#byOwner = undefined
    this.#all = undefined
  }

  /**
   * Gaps that touch [from, to), oldest first. An instrument's own record under a gapId stands for it above the one
   * of its whole feed: it is closed before the feed's is.
   */
  of(
    { instrumentId, feedId, partition }: GapOwner,
    from: number,
    to: number,
  ): readonly GapResource[] {
    this.#byOwner ??= this.#grouped()
    const found = new Map<string, StoredGap>()
    const take = (owner: string): void => {
      for (const gap of this.#byOwner?.get(owner) ?? []) {
        if (gap.toTime <= from && gap.state !== 'open') break
        if (gap.fromTime < to && gap.toTime > from) found.set(gap.gapId, gap)
      }
    }
    if (feedId !== undefined) take(feedKey(feedId, partition))
    take(instrumentKey(instrumentId))
    return [...found.values()].sort((a, b) => a.fromTime - b.fromTime).map(resource)
  }

  /** Each gap once, the latest first; of one that is announced in several partitions what is least done. */
  all(): readonly GapResource[] {
    if (this.#all !== undefined) return this.#all
    const once = new Map<string, StoredGap>()
    for (const gap of this.#gaps.values()) {
      const key = `${gap.gapId}|${gap.instrumentId ?? ''}`
      const known = once.get(key)
      if (known === undefined || rank(gap) > rank(known)) once.set(key, gap)
    }
    this.#all = [...once.values()].sort(latestFirst).map(resource)
    return this.#all
  }

  #grouped(): Map<string, readonly StoredGap[]> {
    const owners = Map.groupBy(this.#gaps.values(), ({ feedId, instrumentId, partition }) =>
      instrumentId === null ? feedKey(feedId, partition) : instrumentKey(instrumentId),
    )
    for (const gaps of owners.values()) {
      // Open ones have no end yet that says anything: they come first.
      gaps.sort(
        (a, b) => Number(b.state === 'open') - Number(a.state === 'open') || b.toTime - a.toTime,
      )
    }
    return owners
  }

  #forget(): void {
    const kept = [...this.#gaps]
      .sort(
        ([, a], [, b]) =>
          Number(b.state === 'open') - Number(a.state === 'open') || b.toTime - a.toTime,
      )
      .slice(0, mostGaps / 2)
    this.#gaps.clear()
    for (const [key, gap] of kept) this.#gaps.set(key, gap)
  }
}

function feedKey(feedId: string, partition: number): string {
  return `feed|${partition}|${feedId}`
}

function instrumentKey(instrumentId: string): string {
  return `instrument|${instrumentId}`
}

function rank({ state }: StoredGap): number {
  return state === 'open' ? 2 : state === 'unrecoverable' ? 1 : 0
}

function latestFirst(a: StoredGap, b: StoredGap): number {
  if (a.fromTime !== b.fromTime) return b.fromTime - a.fromTime
  if (a.gapId !== b.gapId) return a.gapId < b.gapId ? -1 : 1
  return (a.instrumentId ?? '') < (b.instrumentId ?? '') ? -1 : 1
}

function resource(gap: StoredGap): GapResource {
  const { gapId, feedId, instrumentId, fromTime, toTime, fromSequence, toSequence, state } = gap
  return { gapId, feedId, instrumentId, fromTime, toTime, fromSequence, toSequence, state }
}
