/**
 * The nearest-rank percentile: the least sample that at least this share of all samples is not above.
 *
 * @param share in (0, 1], for example 0.99.
 * @throws RangeError without samples.
 */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
  if (value === undefined) throw new RangeError('There is no percentile of no samples')
  return value
}
