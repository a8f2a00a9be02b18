import { expect, test } from 'vitest'
import type { Feed } from './feed.ts'
import { Pump } from './pump.ts'
import { VenueClock } from './venue-clock.ts'

/** A pump whose feed takes this many real milliseconds for each `advance`. */
function pumpOf(feedMs: number, end?: number) {
  const real = { ms: 0 }
  const calls: { readonly to: number; readonly flush: boolean }[] = []
  const feed: Feed = {
    advance(to, flush) {
      calls.push({ to, flush })
      real.ms += feedMs
    },
    open: () => undefined,
    close: () => undefined,
  }
  const realTime = (): number => real.ms
  const clock = new VenueClock({
    start: 0,
    speed: 1000,
    held: false,
    end,
    speedAfterEnd: 1000,
    realTime,
  })
  const pump = new Pump({ clock, feeds: [feed], subscribers: () => 'ready', realTime, end })
  return { pump, real, calls, clock }
}

test('a feed that cannot keep up makes the clock lag, not the turns longer', () => {
  const { pump, real } = pumpOf(500)
  real.ms += 10
  expect(pump.flush()).toBe(10_000)
  real.ms += 10
  expect(pump.flush()).toBe(20_000)
})

test('a feed that keeps up costs the clock nothing', () => {
  const { pump, real } = pumpOf(1)
  real.ms += 9
  expect(pump.flush()).toBe(9000)
  real.ms += 9
  expect(pump.flush()).toBe(19_000)
})

test('all trades are published when the clock passes the end, unfinished slices too', () => {
  const { calls, pump, real } = pumpOf(0, 5000)
  pump.start()
  real.ms += 4
  expect(pump.finished).toBe(false)
  real.ms += 2
  expect(pump.flush()).toBe(6000)
  expect(pump.finished).toBe(true)
  expect(calls).toEqual([
    { to: 0, flush: false },
    { to: 6000, flush: true },
  ])
  pump.stop()
})
