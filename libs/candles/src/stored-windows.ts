import type { StoredWindow } from '@tickertape/market-model'

/** How a stored window becomes the bytes that memory and the changelog hold. */
export interface StoredWindowCodec {
  encode(window: StoredWindow): Uint8Array
  decode(bytes: Uint8Array): StoredWindow
}

/**
 * One instrument's windows of one interval that the changelog holds, by start. In memory they are the
 * bytes of their record, some 150 of them, where objects took 900; those that changed since the last
 * commit are objects.
 */
export class StoredWindows {
  readonly #codec: StoredWindowCodec
  /** Ascending. */
  readonly #starts: number[] = []
  /** By the same index; undefined while the window has changed since it was packed. */
  readonly #packed: (Uint8Array | undefined)[] = []
  readonly #changed = new Map<number, StoredWindow | undefined>()

  constructor(codec: StoredWindowCodec) {
    this.#codec = codec
  }

  get size(): number {
    return this.#starts.length
  }

  /** As the changelog holds it; starts come in any order. */
  restore(start: number, bytes: Uint8Array): void {
    this.#insert(start, bytes)
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
    this.#insert(start, undefined)
  }

  delete(start: number): void {
    const at = this.#firstFrom(start)
    if (this.#starts[at] !== start) return
    this.#starts.splice(at, 1)
    this.#packed.splice(at, 1)
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
      const bytes = window === undefined ? null : this.#codec.encode(window)
      if (bytes !== null) this.#packed[this.#firstFrom(start)] = bytes
      take(start, bytes)
    }
    this.#changed.clear()
  }

  #at(at: number): StoredWindow | undefined {
    const bytes = this.#packed[at]
    if (bytes !== undefined) return this.#codec.decode(bytes)
    const start = this.#starts[at]
    return start === undefined ? undefined : this.#changed.get(start)
  }

  #insert(start: number, bytes: Uint8Array | undefined): void {
    const last = this.#starts.at(-1)
    // Nearly every new window is the latest.
    if (last === undefined || last < start) {
      this.#starts.push(start)
      this.#packed.push(bytes)
      return
    }
    const at = this.#firstFrom(start)
    if (this.#starts[at] === start) {
      this.#packed[at] = bytes
      return
    }
    this.#starts.splice(at, 0, start)
    this.#packed.splice(at, 0, bytes)
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
