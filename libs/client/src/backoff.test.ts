import { expect, it } from 'vitest'

import { backoffMs } from './backoff.ts'

it('waits grow to a bound, and chance spreads them over half of it', () => {
  expect(backoffMs(0, 0)).toBe(125)
  expect(backoffMs(0, 0.999)).toBe(250)
  expect(backoffMs(3, 0)).toBe(1_000)
  expect(backoffMs(500, 0)).toBe(7_500)
  expect(backoffMs(500, 0.9999)).toBeLessThanOrEqual(15_000)
})
