/** A stretch of sequences that has not come, both ends inclusive. */
export interface Hole {
  readonly from: number
  readonly to: number
}

export type Offered<T> =
  /** `ready` continues the sequence: the item and what waited right behind it, in order. */
  | { readonly outcome: 'accepted'; readonly ready: readonly T[] }
  | { readonly outcome: 'duplicate' }
  /** Something is missing before it. */
  | { readonly outcome: 'waiting' }

/**
 * Puts one instrument's items into the order of their sequence, each exactly once, from wherever they
 * come: the stream, or the venue's history. What lies behind a hole waits.
 *
 * Invariants: everything up to `position` has been ready once or was given up; everything that waits
 * is beyond position + 1.
 */
export class SequenceTracker<T> {
  #position: number | undefined
  readonly #waiting = new Map<number, T>()
  #lowestWaiting = Infinity

  /** @param position last sequence that needs no delivery; undefined until `begin`. */
  constructor(position?: number) {
    this.#position = position
  }

  /** The last sequence of the contiguous stretch; undefined before the beginning is known. */
  get position(): number | undefined {
    return this.#position
  }

  get waitingCount(): number {
    return this.#waiting.size
  }

  /** The first hole: what is missing before the lowest item that waits. */
  get hole(): Hole | undefined {
    if (this.#position === undefined || this.#waiting.size === 0) return undefined
    return { from: this.#position + 1, to: this.#lowestWaiting - 1 }
  }

  get lowestWaiting(): T | undefined {
    return this.#waiting.get(this.#lowestWaiting)
  }

  /** Everything waits until it is known where the sequence begins. @returns what is ready then. */
  begin(position: number): readonly T[] {
    if (this.#position !== undefined) return []
    return this.#moveTo(position)
  }

  /** Begins with the lowest item that waits. @returns what is ready then. */
  beginWithWaiting(): readonly T[] {
    return this.#waiting.size === 0 ? [] : this.begin(this.#lowestWaiting - 1)
  }

  offer(sequence: number, item: T): Offered<T> {
    const position = this.#position
    if (position !== undefined) {
      if (sequence <= position) return { outcome: 'duplicate' }
      if (sequence === position + 1) {
        this.#position = sequence
        const ready = this.#lowestWaiting === sequence + 1 ? this.#takeContiguous() : []
        return { outcome: 'accepted', ready: [item, ...ready] }
      }
    }
    if (this.#waiting.has(sequence)) return { outcome: 'duplicate' }
    this.#waiting.set(sequence, item)
    this.#lowestWaiting = Math.min(this.#lowestWaiting, sequence)
    return { outcome: 'waiting' }
  }

  /** Ends the first hole without its items. @returns what is ready then. */
  giveUp(): readonly T[] {
    const { hole } = this
    return hole === undefined ? [] : this.#moveTo(hole.to)
  }

  #moveTo(position: number): readonly T[] {
    this.#position = position
    for (const sequence of this.#waiting.keys()) {
      if (sequence <= position) this.#waiting.delete(sequence)
    }
    return this.#takeContiguous()
  }

  #takeContiguous(): T[] {
    const ready: T[] = []
    // Called only once the beginning is known.
    let next = (this.#position ?? 0) + 1
    for (let item = this.#waiting.get(next); item !== undefined; item = this.#waiting.get(next)) {
      this.#waiting.delete(next)
      ready.push(item)
      next += 1
    }
    this.#position = next - 1
    this.#lowestWaiting = Infinity
    for (const sequence of this.#waiting.keys()) {
      if (sequence < this.#lowestWaiting) this.#lowestWaiting = sequence
    }
    return ready
  }
}
