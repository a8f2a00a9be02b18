import type { OffsetRange } from '@tickertape/market-model'

/** Ranges this near to each other become one: reading on is cheaper than asking again. */
export const nearbyOffsets = 1_024
/** More ranges than this become fewer and longer ones: a window's record stays small. */
const maxRanges = 16

/** Ascending and disjoint, with those that are near to each other made one. */
export function mergeRanges(ranges: readonly OffsetRange[]): readonly OffsetRange[] {
  if (ranges.length < 2) return ranges
  const merged = joined(ranges)
  while (merged.length > maxRanges) joinNearest(merged)
  return merged
}

export function isWithin(ranges: readonly OffsetRange[], offset: number): boolean {
  return ranges.some(({ from, to }) => offset >= from && offset <= to)
}

function joined(ranges: readonly OffsetRange[]): OffsetRange[] {
  const result: OffsetRange[] = []
  for (const range of ranges.toSorted((a, b) => a.from - b.from)) {
    const last = result.at(-1)
    if (last !== undefined && range.from - last.to <= nearbyOffsets) {
      result[result.length - 1] = { from: last.from, to: Math.max(last.to, range.to) }
    } else {
      result.push(range)
    }
  }
  return result
}

/** Two neighbours become one: those with the fewest offsets between them. */
function joinNearest(ranges: OffsetRange[]): void {
  let nearest = 0
  let fewest = Infinity
  for (const [at, { from }] of ranges.entries()) {
    const before = ranges[at - 1]
    if (before === undefined || from - before.to >= fewest) continue
    nearest = at - 1
    fewest = from - before.to
  }
  const [left, right] = ranges.slice(nearest, nearest + 2)
  if (left !== undefined && right !== undefined) {
    ranges.splice(nearest, 2, { from: left.from, to: right.to })
  }
}
