import type { OffsetRange } from '@tickertape/market-model'

/** Ranges this near to each other become one: reading on is cheaper than asking again. */
export const nearbyOffsets = 1_024
/** More ranges than this become fewer and longer ones: a window's record stays small. */
const maxRanges = 16

/** Ascending and disjoint, with those that are near to each other made one. */
export function mergeRanges(ranges: readonly OffsetRange[]): readonly OffsetRange[] {
  if (ranges.length < 2) return ranges
  const merged = joined(ranges, nearbyOffsets)
  for (let within = nearbyOffsets * 16; merged.length > maxRanges; within *= 16) {
    const fewer = joined(merged, within)
    merged.splice(0, merged.length, ...fewer)
  }
  return merged
}

export function isWithin(ranges: readonly OffsetRange[], offset: number): boolean {
  return ranges.some(({ from, to }) => offset >= from && offset <= to)
}

function joined(ranges: readonly OffsetRange[], within: number): OffsetRange[] {
  const result: OffsetRange[] = []
  for (const range of ranges.toSorted((a, b) => a.from - b.from)) {
    const last = result.at(-1)
    if (last !== undefined && range.from - last.to <= within) {
      result[result.length - 1] = { from: last.from, to: Math.max(last.to, range.to) }
    } else {
      result.push(range)
    }
  }
  return result
}
