/**
 * A feed that is further behind the newest than this, in ms, does not hold statistics back: it has stopped,
 * or it catches up.
 */
const liveWithinMs = 60_000

/** Event time up to which each feed vouches in each partition of market-events. */
export class FeedTimes {
  readonly #byFeed = new Map<string, Map<number, number>>()
  #newest = -Infinity

  /** @returns whether it moved. */
  moveTo(partition: number, feedId: string, upTo: number): boolean {
    const times = this.#byFeed.get(feedId) ?? new Map<number, number>()
    if (times.size === 0) this.#byFeed.set(feedId, times)
    if (upTo <= (times.get(partition) ?? -Infinity)) return false
    times.set(partition, upTo)
    this.#newest = Math.max(this.#newest, upTo)
    return true
  }

  /** The least over partitions; null: the feed has not told. */
  upTo(feedId: string): number | null {
    const times = this.#byFeed.get(feedId)
    return times === undefined ? null : Math.min(...times.values())
  }

  feedIds(): Iterable<string> {
    return this.#byFeed.keys()
  }

  /** Up to when all live feeds have told everything; undefined before the first heartbeat. */
  liveUpTo(): number | undefined {
    if (this.#newest === -Infinity) return undefined
    let least = this.#newest
    for (const times of this.#byFeed.values()) {
      for (const upTo of times.values()) {
        if (upTo >= this.#newest - liveWithinMs && upTo < least) least = upTo
      }
    }
    return least
  }
}
