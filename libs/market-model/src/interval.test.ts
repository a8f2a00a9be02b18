import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { intervalMs, intervals, isInterval, windowStartOf } from './interval.ts'

const known = fc.constantFrom(...intervals)

describe('intervals', () => {
  test('each is a whole number of the one below it, so windows nest', () => {
    const lengths = intervals.map(intervalMs)
    expect(lengths).toStrictEqual([1e3, 60e3, 300e3, 900e3, 3_600e3, 14_400e3, 86_400e3])
    for (const [index, length] of lengths.entries()) {
      expect(length % (lengths[index - 1] ?? 1)).toBe(0)
    }
  })

  test.each(['2s', '', '1M', 'toString', '__proto__', '1m '])('%j is none', (text) => {
    expect(isInterval(text)).toBe(false)
  })

  test('every listed one is one', () => {
    expect(intervals.every((interval) => isInterval(interval))).toBe(true)
  })
})

describe('windows', () => {
  test('hold their start and not their end', () => {
    expect(windowStartOf(59_999, '1m')).toBe(0)
    expect(windowStartOf(60_000, '1m')).toBe(60_000)
  })

  test('begin at midnight UTC for 1d', () => {
    const noon = Date.UTC(2026, 9, 1, 12, 30)
    expect(windowStartOf(noon, '1d')).toBe(Date.UTC(2026, 9, 1))
  })

  test('are aligned to the epoch and hold the event time, before 1970 too', () => {
    const times = fc.integer({ min: -1e13, max: 1e14 })
    fc.assert(
      fc.property(times, known, (time, interval) => {
        const start = windowStartOf(time, interval)
        expect(Math.abs(start % intervalMs(interval))).toBe(0)
        expect(start <= time && time < start + intervalMs(interval)).toBe(true)
      }),
    )
  })
})
