import { expect, it } from 'vitest'

import { ArrivalTable } from './stream-arrivals.ts'

const frame = (...numbers: readonly number[]): Buffer =>
  Buffer.from(JSON.stringify(numbers.map((update) => ({ candle: { indicators: { update } } }))))

it('each update of a frame is counted, with the last time that it came, also over processes', () => {
  const [one, other] = [new ArrivalTable(), new ArrivalTable()]
  expect(one.take(frame(7, 5_000), 10)).toBe(true)
  expect(one.take(frame(7), 12)).toBe(true)
  expect(other.take(frame(7, 8), 11)).toBe(true)
  expect(other.take(Buffer.from('[{"type":"heartbeat"}]'), 99)).toBe(false)
  one.addAll(other.encode())
  expect([7, 8, 5_000, 9].map((number) => one.of(number))).toEqual([
    { count: 3, lastAt: 12 },
    { count: 1, lastAt: 11 },
    { count: 1, lastAt: 10 },
    { count: 0, lastAt: 0 },
  ])
})
