import type { Metrics } from './metrics.ts'

/** What a service said at two moments; `before` is undefined at first, and after a restart. */
export interface Span {
  readonly before: Metrics | undefined
  readonly now: Metrics
  /** Between the two. */
  readonly seconds: number
}

/** Rise of a counter a second; undefined where nothing is known. A counter that appears has risen from 0. */
export function rate(
  { before, now, seconds }: Span,
  counter: string,
  match = '',
): number | undefined {
  if (before === undefined || seconds <= 0) return undefined
  const value = now.sum(counter, match)
  if (value === undefined) return undefined
  return Math.max(0, value - (before.sum(counter, match) ?? 0)) / seconds
}

/**
 * Quantile of what a histogram observed within the span, in its own unit: interpolated in its bucket, as Prometheus
 * does. Undefined if it observed nothing.
 */
export function quantile(
  { before, now }: Span,
  histogram: string,
  q: number,
  match = '',
): number | undefined {
  if (before === undefined) return undefined
  const earlier = before.buckets(histogram, match)
  const counts = [...now.buckets(histogram, match)]
    .map(([upTo, count]) => ({ upTo, count: count - (earlier.get(upTo) ?? 0) }))
    .sort((one, other) => one.upTo - other.upTo)
  const wanted = q * (counts.at(-1)?.count ?? 0)
  if (wanted === 0) return undefined
  let below = { upTo: 0, count: 0 }
  for (const bucket of counts) {
    if (bucket.count >= wanted) {
      if (bucket.upTo === Infinity) return below.upTo
      const share = (wanted - below.count) / (bucket.count - below.count)
      return below.upTo + (bucket.upTo - below.upTo) * share
    }
    below = bucket
  }
  return undefined
}
