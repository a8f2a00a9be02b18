/** A stretch of sequences that has not come, both ends inclusive. */
export interface Hole {
  readonly from: number
  readonly to: number
}

export type Offered<T> =
  /**
   * `ready` goes out now: the item and what waited right behind it, in order, or an item that was
   * missing from a hole set aside.
   */
  | { readonly outcome: 'accepted'; readonly ready: readonly T[] }
  | { readonly outcome: 'duplicate' }
  /** Something is missing before it. */
  | { readonly outcome: 'waiting' }

export interface SequenceTrackerOptions<T> {
  /** Last sequence that needs no delivery; undefined until `begin`. */
  readonly position?: number
  /** Its time. */
  readonly time?: number | undefined
  /** undefined for an item that has none: the time before it stands. */
  readonly timeOf?: (item: T) => number | undefined
}

/** A hole that nothing waits for any more. */
interface HoleAside extends Hole {
  /** Of the item before it. */
  readonly time: number | undefined
}

/**
 * Most holes that are set aside at once. The two last ones become one beyond that: what came between
 * them is ready twice, if it comes again.
 */
const maxAside = 1_000

/**
 * Puts one instrument's items into the order of their sequence, each exactly once, from wherever they
 * come: the stream, or the venue's history. What lies behind a hole waits, until the hole is filled, given
 * up, or set aside.
 *
 * Invariants: everything up to `position` has been ready once or was given up, and everything up to the
 * front but for the holes set aside; everything that waits is beyond the front + 1.
 */
export class SequenceTracker<T> {
  readonly #timeOf: (item: T) => number | undefined
  #front: number | undefined
  #frontTime: number | undefined
  /** Ascending, apart from each other, all below the front. */
  #aside: HoleAside[] = []
  readonly #waiting = new Map<number, T>()
  #lowestWaiting = Infinity

  constructor({ position, time, timeOf }: SequenceTrackerOptions<T> = {}) {
    this.#front = position
    this.#frontTime = time
    this.#timeOf = timeOf ?? (() => undefined)
  }

  /** Up to here nothing is missing; undefined before the beginning is known. */
  get position(): number | undefined {
    const [lowest] = this.#aside
    return lowest === undefined ? this.#front : lowest.from - 1
  }

  /** Of the item at the position, or of the last one before it that has a time. */
  get positionTime(): number | undefined {
    const [lowest] = this.#aside
    return lowest === undefined ? this.#frontTime : lowest.time
  }

  /** Of the furthest item that was ready. */
  get frontTime(): number | undefined {
    return this.#frontTime
  }

  get waitingCount(): number {
    return this.#waiting.size
  }

  /** The hole that something waits behind: what is missing before the lowest item that waits. */
  get hole(): Hole | undefined {
    if (this.#front === undefined || this.#waiting.size === 0) return undefined
    return { from: this.#front + 1, to: this.#lowestWaiting - 1 }
  }

  /** The lowest of the holes set aside. */
  get aside(): Hole | undefined {
    return this.#aside[0]
  }

  get lowestWaiting(): T | undefined {
    return this.#waiting.get(this.#lowestWaiting)
  }

  /** Whether anything of a stretch that began as a hole has not been ready. */
  misses({ from, to }: Hole): boolean {
    const isBeyond = this.#front === undefined || this.#front < to
    return isBeyond || this.#aside.some((hole) => hole.from <= to && hole.to >= from)
  }

  /** Everything waits until it is known where the sequence begins. @returns what is ready then. */
  begin(position: number, time?: number): readonly T[] {
    if (this.#front !== undefined) return []
    this.#frontTime = time
    return this.#moveTo(position)
  }

  /** Begins with the lowest item that waits. @returns what is ready then. */
  beginWithWaiting(): readonly T[] {
    return this.#waiting.size === 0 ? [] : this.begin(this.#lowestWaiting - 1)
  }

  offer(sequence: number, item: T): Offered<T> {
    const front = this.#front
    if (front !== undefined) {
      if (sequence <= front) return this.#offerBehind(sequence, item)
      if (sequence === front + 1) {
        this.#advance(sequence, item)
        const ready = this.#lowestWaiting === sequence + 1 ? this.#takeContiguous() : []
        return { outcome: 'accepted', ready: [item, ...ready] }
      }
    }
    if (this.#waiting.has(sequence)) return { outcome: 'duplicate' }
    this.#waiting.set(sequence, item)
    this.#lowestWaiting = Math.min(this.#lowestWaiting, sequence)
    return { outcome: 'waiting' }
  }

  /** Lets what waits go on without the first hole, which can still be filled. @returns what is ready then. */
  setAside(): readonly T[] {
    const { hole } = this
    if (hole === undefined) return []
    this.#aside.push({ ...hole, time: this.#frontTime })
    if (this.#aside.length > maxAside) this.#joinLast()
    return this.#moveTo(hole.to)
  }

  /** Ends the first hole, or the lowest one set aside, without its items. @returns what is ready then. */
  giveUp(which: 'aside' | 'first' = 'first'): readonly T[] {
    if (which === 'aside') {
      this.#aside.shift()
      return []
    }
    const { hole } = this
    return hole === undefined ? [] : this.#moveTo(hole.to)
  }

  #advance(sequence: number, item: T): void {
    this.#front = sequence
    this.#frontTime = this.#timeOf(item) ?? this.#frontTime
  }

  #offerBehind(sequence: number, item: T): Offered<T> {
    const at = this.#aside.findIndex(({ from, to }) => from <= sequence && sequence <= to)
    const hole = this.#aside[at]
    if (hole === undefined) return { outcome: 'duplicate' }
    const below = { ...hole, to: sequence - 1 }
    const above = { ...hole, from: sequence + 1, time: this.#timeOf(item) ?? hole.time }
    this.#aside.splice(at, 1, ...[below, above].filter(({ from, to }) => from <= to))
    if (this.#aside.length > maxAside) this.#joinLast()
    return { outcome: 'accepted', ready: [item] }
  }

  #joinLast(): void {
    const last = this.#aside.pop()
    const before = this.#aside.pop()
    if (last === undefined || before === undefined) return
    this.#aside.push({ ...before, to: last.to })
  }

  #moveTo(position: number): readonly T[] {
    this.#front = position
    for (const sequence of this.#waiting.keys()) {
      if (sequence <= position) this.#waiting.delete(sequence)
    }
    return this.#takeContiguous()
  }

  #takeContiguous(): T[] {
    const ready: T[] = []
    // Called only once the beginning is known.
    let next = (this.#front ?? 0) + 1
    for (let item = this.#waiting.get(next); item !== undefined; item = this.#waiting.get(next)) {
      this.#waiting.delete(next)
      this.#advance(next, item)
      ready.push(item)
      next += 1
    }
    this.#front = next - 1
    this.#lowestWaiting = Infinity
    for (const sequence of this.#waiting.keys()) {
      if (sequence < this.#lowestWaiting) this.#lowestWaiting = sequence
    }
    return ready
  }
}
