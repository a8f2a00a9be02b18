import type { AggregatorEvents } from './events.ts'
import type { OwnedPartition } from './owned-partition.ts'

/**
 * Bounds the trades of open windows that one partition holds in memory. It is asked between two batches, so
 * what was delivered is applied first: the limit is passed by a batch at most, and heartbeats in that
 * batch can bring the partition below it again.
 *
 * A partition that has reached it is not read on until the next commit, which sets aside what has been open
 * for longer than half of the limit, counted in records: windows of a feed whose heartbeats stay away
 * go on in the changelog, from their sums.
 */
export class OpenTradeLimit {
  readonly #maxOpenTrades: number
  readonly #events: AggregatorEvents
  readonly #reached = new Set<OwnedPartition>()

  constructor(maxOpenTrades: number, events: AggregatorEvents) {
    this.#maxOpenTrades = maxOpenTrades
    this.#events = events
  }

  get isAnyReached(): boolean {
    return this.#reached.size > 0
  }

  isReached(owned: OwnedPartition): boolean {
    return this.#reached.has(owned)
  }

  /** @returns whether the partition must not be read on. */
  check(owned: OwnedPartition): boolean {
    const { partition, aggregation } = owned
    const openTrades = aggregation?.openTrades ?? 0
    const isOver = openTrades >= this.#maxOpenTrades
    if (isOver === this.#reached.has(owned)) return isOver
    if (isOver) {
      this.#reached.add(owned)
      const feeds = (aggregation?.watermarks() ?? []).map(
        ({ feedId, upTo }) => `feed ${feedId} has come to ${new Date(upTo).toISOString()}`,
      )
      this.#events.partitionPaused(partition, openTrades, feeds.join(', ') || 'no feed had any')
    } else {
      this.#reached.delete(owned)
      this.#events.partitionResumed(partition, openTrades)
    }
    return isOver
  }

  forget(owned: OwnedPartition): void {
    this.#reached.delete(owned)
  }
}
