export interface Interval95 {
  readonly mean: number
  readonly low: number
  readonly high: number
}

/** Student's t at 97.5 %, by degrees of freedom from 1 on. */
const quantiles = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145,
  2.131, 2.12, 2.11, 2.101, 2.093, 2.086,
] as const

/**
 * The mean of differences between the two of a pair, and where it lies with 95 % confidence: the t interval, which
 * takes the differences for normal and independent.
 *
 * @throws RangeError for fewer than 2 or more than 21 pairs.
 */
export function pairedInterval(differences: readonly number[]): Interval95 {
  const count = differences.length
  const quantile = quantiles[count - 2]
  if (quantile === undefined) throw new RangeError(`There is no interval of ${count} pairs`)
  const mean = differences.reduce((sum, each) => sum + each, 0) / count
  const squares = differences.reduce((sum, each) => sum + (each - mean) ** 2, 0)
  const half = quantile * Math.sqrt(squares / (count - 1) / count)
  return { mean, low: mean - half, high: mean + half }
}
