import { expect, test } from 'vitest'
import { CreditPool } from './credit-pool.ts'

test('a pool gives what it has, refills with time, and never above its capacity', () => {
  const real = { ms: 0 }
  const pool = new CreditPool({ capacity: 10, refillPerSecond: 5, realTime: () => real.ms })
  expect(pool.take(10)).toBe(true)
  expect(pool.take(1)).toBe(false)
  real.ms += 200
  expect(pool.take(1)).toBe(true)
  expect(pool.take(1)).toBe(false)
  real.ms += 60_000
  expect(pool.take(11)).toBe(false)
  expect(pool.take(10)).toBe(true)
})
