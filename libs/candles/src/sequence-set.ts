import type { SequenceRange } from '@tickertape/market-model'

/**
 * A set of integers as ascending, disjoint, non-adjacent ranges. Venues number trades without holes
 * and deliver them nearly in order, so it holds one range and grows at its end.
 */
export class SequenceSet {
  /** Flat pairs: from, to, from, to, … both ends inclusive. */
  #bounds: number[] = []

  static of(ranges: Iterable<SequenceRange>): SequenceSet {
    const set = new SequenceSet()
    for (const range of ranges) set.addRange(range.from, range.to)
    return set
  }

  get rangeCount(): number {
    return this.#bounds.length / 2
  }

  has(sequence: number): boolean {
    const bounds = this.#bounds
    const last = bounds[bounds.length - 1]
    if (last === undefined || sequence > last) return false
    const from = bounds[this.#rangeEndingAtOrAfter(sequence)]
    return from !== undefined && from <= sequence
  }

  /** Whether every sequence from one to the other is in it, both inclusive. */
  hasRange(from: number, to: number): boolean {
    const at = this.#rangeEndingAtOrAfter(to)
    const start = this.#bounds[at]
    return start !== undefined && start <= from && from <= to
  }

  delete(sequence: number): void {
    const bounds = this.#bounds
    const at = this.#rangeEndingAtOrAfter(sequence)
    const from = bounds[at]
    const to = bounds[at + 1]
    if (from === undefined || to === undefined || from > sequence) return
    const left = from < sequence ? [from, sequence - 1] : []
    const right = to > sequence ? [sequence + 1, to] : []
    bounds.splice(at, 2, ...left, ...right)
  }

  add(sequence: number): void {
    this.addRange(sequence, sequence)
  }

  /** Both ends inclusive. */
  addRange(from: number, to: number): void {
    const bounds = this.#bounds
    const last = bounds[bounds.length - 1]
    // Nearly every range follows the last one.
    if (last === undefined || from > last + 1) {
      bounds.push(from, to)
      return
    }
    if (from === last + 1) {
      bounds[bounds.length - 1] = to
      return
    }
    // Ranges that overlap or touch the new one become one with it.
    const first = this.#rangeEndingAtOrAfter(from - 1)
    let mergedFrom = from
    let mergedTo = to
    let next = first
    for (;;) {
      const nextFrom = bounds[next]
      const nextTo = bounds[next + 1]
      if (nextFrom === undefined || nextTo === undefined || nextFrom > to + 1) break
      mergedFrom = Math.min(mergedFrom, nextFrom)
      mergedTo = Math.max(mergedTo, nextTo)
      next += 2
    }
    bounds.splice(first, next - first, mergedFrom, mergedTo)
  }

  addAll(other: SequenceSet): void {
    const bounds = other.#bounds
    for (let at = 0; at < bounds.length; at += 2) {
      const from = bounds[at]
      const to = bounds[at + 1]
      if (from !== undefined && to !== undefined) this.addRange(from, to)
    }
  }

  /** Forgets the lowest ranges until at most `count` are left; says whether it forgot any. */
  keepHighest(count: number): boolean {
    const excess = this.rangeCount - count
    if (excess <= 0) return false
    this.#bounds.splice(0, excess * 2)
    return true
  }

  clear(): void {
    this.#bounds.length = 0
  }

  toRanges(): SequenceRange[] {
    const ranges: SequenceRange[] = []
    for (let at = 0; at < this.#bounds.length; at += 2) {
      const from = this.#bounds[at]
      const to = this.#bounds[at + 1]
      if (from !== undefined && to !== undefined) ranges.push({ from, to })
    }
    return ranges
  }

  /** Index of the first pair whose end is not below the sequence; the length if there is none. */
  #rangeEndingAtOrAfter(sequence: number): number {
    const bounds = this.#bounds
    let low = 0
    let high = bounds.length / 2
    while (low < high) {
      const middle = (low + high) >>> 1
      const to = bounds[middle * 2 + 1]
      if (to !== undefined && to < sequence) low = middle + 1
      else high = middle
    }
    return low * 2
  }
}
