import type { MarketUpdate, Place, StreamPosition } from '../market-view.ts'

/** An update that has a place in the stream. */
export type PlacedUpdate = Extract<MarketUpdate, { readonly type: 'candle' | 'trade' }> & {
  readonly place: Place
}

export interface BacklogLimits {
  /** Most updates that are remembered of one partition of one topic. */
  readonly updates: number
  /** Most bytes of their JSON. */
  readonly bytes: number
}

const allTopics = ['candles', 'market-events'] as const

/**
 * Another instance may be ahead of this one, and know of records that this one was not told of yet: a second of
 * them, several at most. What came before `next` was applied, so who is further gets what is between once more.
 */
const mostAhead = 10_000

/** What came last of each partition of `candles` and `market-events`, for those who resume. */
export class Backlog {
  readonly #candles: readonly PartitionBacklog[]
  readonly #marketEvents: readonly PartitionBacklog[]

  /** @param from what is remembered begins here. */
  constructor(from: StreamPosition, limits: BacklogLimits) {
    this.#candles = from.candles.map((offset) => new PartitionBacklog(offset, limits))
    this.#marketEvents = from.marketEvents.map((offset) => new PartitionBacklog(offset, limits))
  }

  /** Next offsets. */
  position(): StreamPosition {
    return {
      candles: this.#candles.map(({ next }) => next),
      marketEvents: this.#marketEvents.map(({ next }) => next),
    }
  }

  add(update: PlacedUpdate): void {
    this.#partition(update.place.topic, update.place.partition)?.add(update)
  }

  /**
   * Whatever stands before the offset has been applied.
   *
   * @param end where the partition ends, as last told.
   */
  moveTo(topic: Place['topic'], partition: number, next: number, end = next): void {
    this.#partition(topic, partition)?.moveTo(next, end)
  }

  /** In the order of each partition; `too_old` and `unknown` as MarketView has them. */
  since(
    position: StreamPosition,
    topics: readonly Place['topic'][] = allTopics,
  ): readonly PlacedUpdate[] | 'too_old' | 'unknown' {
    const asked: { readonly source: PartitionBacklog; readonly offset: number }[] = []
    for (const topic of topics) {
      const isCandles = topic === 'candles'
      const sources = isCandles ? this.#candles : this.#marketEvents
      const offsets = isCandles ? position.candles : position.marketEvents
      if (offsets.length !== sources.length) return 'unknown'
      for (const [at, source] of sources.entries()) {
        asked.push({ source, offset: offsets[at] ?? 0 })
      }
    }
    if (asked.some(({ source, offset }) => source.isUnknown(offset))) return 'unknown'
    if (asked.some(({ source, offset }) => offset < source.from)) return 'too_old'
    return asked.flatMap(({ source, offset }) => source.since(offset))
  }

  #partition(topic: Place['topic'], partition: number): PartitionBacklog | undefined {
    return (topic === 'candles' ? this.#candles : this.#marketEvents)[partition]
  }
}

class PartitionBacklog {
  /** Updates of offsets from here on are remembered. */
  from: number
  next: number
  readonly #limits: BacklogLimits
  #end: number
  #updates: PlacedUpdate[] = []
  /** Those before it are forgotten. */
  #head = 0
  #bytes = 0

  constructor(from: number, limits: BacklogLimits) {
    this.from = from
    this.next = from
    this.#end = from
    this.#limits = limits
  }

  add(update: PlacedUpdate): void {
    this.#updates.push(update)
    this.#bytes += sizeOf(update)
    this.moveTo(update.place.offset + 1, 0)
    while (this.#isFull()) this.#forgetOldest()
    // Moving the rest for each one that is forgotten would cost more than it frees.
    if (this.#head > 1_000 && this.#head * 2 > this.#updates.length) {
      this.#updates = this.#updates.slice(this.#head)
      this.#head = 0
    }
  }

  moveTo(next: number, end: number): void {
    this.next = Math.max(this.next, next)
    this.#end = Math.max(this.#end, next, end)
  }

  /** Whether the partition cannot have come as far as this yet. */
  isUnknown(offset: number): boolean {
    return offset > this.#end + mostAhead
  }

  since(offset: number): readonly PlacedUpdate[] {
    let low = this.#head
    let high = this.#updates.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const update = this.#updates[middle]
      if (update !== undefined && update.place.offset < offset) low = middle + 1
      else high = middle
    }
    return this.#updates.slice(low)
  }

  #isFull(): boolean {
    const count = this.#updates.length - this.#head
    return count > this.#limits.updates || this.#bytes > this.#limits.bytes
  }

  #forgetOldest(): void {
    const oldest = this.#updates[this.#head]
    if (oldest === undefined) return
    this.#head += 1
    this.#bytes -= sizeOf(oldest)
    this.from = oldest.place.offset + 1
  }
}

function sizeOf(update: PlacedUpdate): number {
  return update.type === 'candle' ? update.candle.json.length : update.trade.json.length
}
