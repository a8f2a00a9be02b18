import { expect, it } from 'vitest'

import { pairedInterval } from './paired-interval.ts'

it('is that of a paired t test', () => {
  // Standard deviation 1.3108, and 2.447 of its 1/sqrt(7) on either side.
  const { mean, low, high } = pairedInterval([1.2, -0.4, 2.9, 0.7, 3.1, 1.5, 0.2])
  expect(mean).toBeCloseTo(1.3143, 4)
  expect(low).toBeCloseTo(0.102, 3)
  expect(high).toBeCloseTo(2.5266, 3)
})

it('is a point where all pairs differ alike', () => {
  expect(pairedInterval([2, 2, 2])).toEqual({ mean: 2, low: 2, high: 2 })
})

it.each([[[]], [[1]], [Array.from({ length: 22 }, () => 1)]])(
  'is not told of too few pairs, nor of more than it has quantiles for: %j',
  (differences) => {
    expect(() => pairedInterval(differences)).toThrow(RangeError)
  },
)
