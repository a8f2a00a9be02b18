import { expect, it } from 'vitest'

import { Pace } from './pace.ts'

it.each([
  [1, 90, '90s'],
  [1, 300, '5m'],
  [1, 21_600, '6h'],
  [20, 300, '15s'],
  [20, 90, '4500ms'],
])('at pace %i a span of %i s is written %s', (divisor, seconds, text) => {
  expect(new Pace(divisor).span(seconds)).toBe(text)
})
