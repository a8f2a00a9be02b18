import { expect, test } from 'vitest'
import { BinanceWeights } from './binance-weights.ts'

test('too much weight is refused until the minute is over', () => {
  const real = { ms: 10_000 }
  const weights = new BinanceWeights(100, () => real.ms)
  expect(weights.take(100)).toEqual({ used: 100, refusal: undefined })
  expect(weights.take(1)).toEqual({ used: 101, refusal: { status: 429, retryAfterSeconds: 50 } })
  real.ms = 60_000
  expect(weights.take(1)).toEqual({ used: 1, refusal: undefined })
})

test('who goes on all the same is banned for two minutes, whatever the minute', () => {
  const real = { ms: 0 }
  const weights = new BinanceWeights(100, () => real.ms)
  weights.take(101)
  for (let asked = 0; asked < 9; asked += 1) expect(weights.take(1).refusal?.status).toBe(429)
  expect(weights.take(1).refusal).toEqual({ status: 418, retryAfterSeconds: 120 })
  real.ms = 90_000
  expect(weights.take(1).refusal).toEqual({ status: 418, retryAfterSeconds: 30 })
  real.ms = 120_000
  expect(weights.take(1).refusal).toBeUndefined()
})
