import { describe, expect, it } from 'vitest'

import { rateHeaders } from './rate-headers.ts'
import { RateWindows } from './rate-windows.ts'

const policy = { requests: 3, windowMs: 60_000 }

function takeAll(windows: RateWindows, now: number, count: number): readonly boolean[] {
  return Array.from({ length: count }, () => windows.take('a', now).allowed)
}

describe('requests of a caller', () => {
  it('are let in up to the limit, and again when the window has ended', () => {
    const windows = new RateWindows(policy)
    expect(takeAll(windows, 1_000, 4)).toEqual([true, true, true, false])
    expect(windows.take('a', 60_999).allowed).toBe(false)
    expect(windows.take('a', 61_000)).toEqual({ allowed: true, remaining: 2, resetMs: 60_000 })
  })

  it('are counted for each caller', () => {
    const windows = new RateWindows(policy)
    takeAll(windows, 0, 3)
    expect(windows.take('b', 0).allowed).toBe(true)
  })

  it('can be looked at without counting', () => {
    const windows = new RateWindows(policy)
    expect(windows.look('a', 0)).toEqual({ allowed: true, remaining: 3, resetMs: 60_000 })
    takeAll(windows, 0, 3)
    expect(windows.look('a', 10_000)).toEqual({ allowed: false, remaining: 0, resetMs: 50_000 })
  })

  it('of very many callers are counted in bounded memory: the oldest are forgotten', () => {
    const windows = new RateWindows({ requests: 1, windowMs: 60_000 })
    for (let caller = 0; caller < 100_001; caller += 1) windows.take(String(caller), 0)
    expect(windows.take('100000', 0).allowed).toBe(false)
    expect(windows.take('0', 0).allowed).toBe(true)
  })
})

describe('what instances tell each other', () => {
  it('is what was counted since the last time', () => {
    const windows = new RateWindows(policy)
    takeAll(windows, 0, 2)
    expect(windows.tell(1_000)).toEqual([{ caller: 'a', requests: 2, resetMs: 59_000 }])
    expect(windows.tell(1_000)).toEqual([])
  })

  it('counts against the limit, with what has come meanwhile', () => {
    const windows = new RateWindows({ requests: 10, windowMs: 60_000 })
    windows.take('a', 0)
    windows.tell(0)
    windows.take('a', 0)
    windows.learn('a', 7, 30_000, 0)
    expect(windows.look('a', 0)).toEqual({ allowed: true, remaining: 2, resetMs: 30_000 })
  })

  it('is told again if it did not arrive', () => {
    const windows = new RateWindows(policy)
    takeAll(windows, 0, 2)
    windows.takeBack(windows.tell(0))
    windows.take('a', 0)
    expect(windows.tell(0)).toMatchObject([{ requests: 3 }])
  })

  it('leaves out what belongs to a window that has ended', () => {
    const windows = new RateWindows(policy)
    takeAll(windows, 0, 2)
    expect(windows.tell(60_000)).toEqual([])
    windows.take('a', 60_000)
    expect(windows.tell(60_000)).toMatchObject([{ requests: 1 }])
  })
})

it('the headers are those of the IETF draft, in whole seconds that are never too few', () => {
  expect(rateHeaders(policy, { allowed: true, remaining: 2, resetMs: 1_001 })).toEqual({
    'ratelimit-policy': '"requests";q=3;w=60',
    ratelimit: '"requests";r=2;t=2',
  })
})
