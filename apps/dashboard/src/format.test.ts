import { describe, expect, it } from 'vitest'

import { clockText, durationText, groupDecimal, momentText, percent } from './format.ts'

describe('groupDecimal', () => {
  it('keeps every digit', () => {
    expect(groupDecimal('12345678901234567890.12345678901234567890')).toBe(
      '12,345,678,901,234,567,890.12345678901234567890',
    )
    expect(groupDecimal('0.00001234')).toBe('0.00001234')
    expect(groupDecimal('-1234')).toBe('-1,234')
  })

  it('pads to the digits of its column', () => {
    expect(groupDecimal('64250.5', 2)).toBe('64,250.50')
    expect(groupDecimal('64250', 1)).toBe('64,250.0')
  })
})

it('percentages have a sign, and none where they round to nothing', () => {
  expect(percent(0.01234)).toBe('+1.23%')
  expect(percent(-0.01234)).toBe('−1.23%')
  expect(percent(-0.000001)).toBe('0.00%')
  expect(percent(null)).toBe('–')
})

it('times are told in UTC where that is chosen', () => {
  const time = Date.UTC(2026, 0, 5, 0, 3, 7)
  expect(clockText(time, 'utc')).toBe('00:03:07')
  expect(momentText(time, 'utc')).toBe('05 Jan 2026 00:03:07')
})

it('durations are told in the unit they are thought in', () => {
  expect([480, 1_400, 180_000, 9_000_000, 864_000_000].map(durationText)).toEqual([
    '480 ms',
    '1.4 s',
    '3 min',
    '2.5 h',
    '10 days',
  ])
})
