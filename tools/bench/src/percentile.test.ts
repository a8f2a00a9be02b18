import { expect, it } from 'vitest'

import { percentile } from './percentile.ts'

it('a percentile is the least sample with that share of the samples at or below it', () => {
  const samples = Array.from({ length: 200 }, (_, index) => 200 - index)
  expect(percentile(samples, 0.5)).toBe(100)
  expect(percentile(samples, 0.99)).toBe(198)
  expect(percentile(samples, 1)).toBe(200)
})

it('of one sample every percentile is that sample', () => {
  expect(percentile([7], 0.01)).toBe(7)
})

it('no samples have no percentile', () => {
  expect(() => percentile([], 0.5)).toThrow(RangeError)
})
