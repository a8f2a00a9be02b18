import { describe, expect, test } from 'vitest'
import { type ClockSpeed, VenueClock } from './venue-clock.ts'

const start = 1_000_000

function clockOf(speed: ClockSpeed, more: { held?: boolean; end?: number } = {}) {
  const real = { ms: 500 }
  const clock = new VenueClock({
    start,
    speed,
    held: more.held ?? false,
    end: more.end,
    speedAfterEnd: 60,
    realTime: () => real.ms,
  })
  return { clock, real }
}

describe('a clock at a speed', () => {
  test('runs that many times as fast as real time, in whole milliseconds', () => {
    const { clock, real } = clockOf(2.5)
    real.ms += 3
    expect(clock.now()).toBe(start + 7)
  })

  test('stands still while it is held, and starts from where it stood', () => {
    const { clock, real } = clockOf(1, { held: true })
    real.ms += 10_000
    expect(clock.now()).toBe(start)
    clock.release()
    real.ms += 10
    expect(clock.now()).toBe(start + 10)
  })

  test('changes its speed exactly at the end of trading', () => {
    const { clock, real } = clockOf(10, { end: start + 100 })
    real.ms += 9
    expect(clock.now()).toBe(start + 90)
    real.ms += 3
    expect(clock.now()).toBe(start + 100 + 2 * 60)
    real.ms += 1
    expect(clock.now()).toBe(start + 100 + 3 * 60)
  })

  test('is not moved by hand', () => {
    const { clock } = clockOf(1)
    clock.advanceTo(start + 1000)
    expect(clock.now()).toBe(start)
  })
})

describe('a clock at speed max', () => {
  test('moves by hand alone, and never back', () => {
    const { clock, real } = clockOf('max')
    real.ms += 10_000
    expect(clock.now()).toBe(start)
    clock.advanceTo(start + 100)
    clock.advanceTo(start + 50)
    expect(clock.now()).toBe(start + 100)
  })

  test('stops at the end of trading and runs on by itself from there', () => {
    const { clock, real } = clockOf('max', { end: start + 150 })
    clock.advanceTo(start + 200)
    expect(clock.now()).toBe(start + 150)
    expect(clock.driven).toBe(false)
    real.ms += 1
    expect(clock.now()).toBe(start + 150 + 60)
  })

  test('is not driven while it is held', () => {
    const { clock } = clockOf('max', { held: true })
    clock.advanceTo(start + 100)
    expect(clock.now()).toBe(start)
    clock.release()
    expect(clock.driven).toBe(true)
  })

  test('that starts beyond the end runs by itself', () => {
    const { clock, real } = clockOf('max', { end: start - 1 })
    real.ms += 1
    expect(clock.now()).toBe(start + 60)
  })
})
