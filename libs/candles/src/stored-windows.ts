import type { StoredWindow } from '@tickertape/market-model'
import type { PackedWindows } from './packed-windows.ts'

const unpacked = -1

/**
 * One instrument's windows of one interval that the changelog holds, by start. In memory they are the
 * bytes of their record, some 150 of them, where objects took 900; those that changed since the last
 * commit are objects.
 */
export class StoredWindows {
  readonly #packed: PackedWindows
  /** Ascending. */
  readonly #starts: number[] = []
  /** Where the window is packed, by the same index; `unpacked` while it has changed since. */
  readonly #places: number[] = []
  readonly #changed = new Map<number, StoredWindow | undefined>()

  constructor(packed: PackedWindows) {
    this.#packed = packed
  }

  get size(): number {
    return this.#starts.length
  }

  /** As the changelog holds it; starts come in any order. */
  restore(start: number, bytes: Uint8Array): void {
    this.#insert(start, this.#packed.keep(bytes))
  }

  has(start: number): boolean {
    return this.#starts[this.#firstFrom(start)] === start
  }

  get(start: number): StoredWindow | undefined {
    const at = this.#firstFrom(start)
    return this.#starts[at] === start ? this.#at(at) : undefined
  }

  put(start: number, window: StoredWindow): void {
    this.#changed.set(start, window)
    this.#insert(start, unpacked)
  }

  delete(start: number): void {
    const at = this.#firstFrom(start)
    if (this.#starts[at] !== start) return
    this.#drop(at)
    this.#starts.splice(at, 1)
    this.#places.splice(at, 1)
    this.#changed.set(start, undefined)
  }

  /** Windows that start in [from, to), ascending. */
  *between(from: number, to: number): Generator<StoredWindow> {
    for (let at = this.#firstFrom(from); at < this.#starts.length; at += 1) {
      const start = this.#starts[at]
      if (start === undefined || start >= to) return
      const window = this.#at(at)
      if (window !== undefined) yield window
    }
  }

  /** Starts in [from, to), ascending; no window is unpacked. */
  startsBetween(from: number, to: number): readonly number[] {
    return this.#starts.slice(this.#firstFrom(from), this.#firstFrom(to))
  }

  /** From the latest that starts before the time back to the first. */
  *before(time: number): Generator<StoredWindow> {
    for (let at = this.#firstFrom(time) - 1; at >= 0; at -= 1) {
      const window = this.#at(at)
      if (window !== undefined) yield window
    }
  }

  /** What changed since the last call, packed; null: deleted. */
  takeChanges(take: (start: number, bytes: Uint8Array | null) => void): void {
    for (const [start, window] of this.#changed) {
      const bytes = window === undefined ? null : this.#packed.encode(window)
      if (bytes !== null) this.#places[this.#firstFrom(start)] = this.#packed.keep(bytes)
      take(start, bytes)
    }
    this.#changed.clear()
  }

  #at(at: number): StoredWindow | undefined {
    const place = this.#places[at]
    if (place !== undefined && place !== unpacked) return this.#packed.read(place)
    const start = this.#starts[at]
    return start === undefined ? undefined : this.#changed.get(start)
  }

  #insert(start: number, place: number): void {
    const last = this.#starts.at(-1)
    // Nearly every new window is the latest.
    if (last === undefined || last < start) {
      this.#starts.push(start)
      this.#places.push(place)
      return
    }
    const at = this.#firstFrom(start)
    if (this.#starts[at] === start) {
      this.#drop(at)
      this.#places[at] = place
      return
    }
    this.#starts.splice(at, 0, start)
    this.#places.splice(at, 0, place)
  }

  #drop(at: number): void {
    const place = this.#places[at]
    if (place !== undefined && place !== unpacked) this.#packed.drop(place)
  }

  /** Index of the first start that is not below the time; the length if there is none. */
  #firstFrom(time: number): number {
    const starts = this.#starts
    let low = 0
    let high = starts.length
    // Most questions are about the latest windows.
    if (high > 0 && (starts[high - 1] ?? 0) < time) return high
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((starts[middle] ?? 0) < time) low = middle + 1
      else high = middle
    }
    return low
  }
}
