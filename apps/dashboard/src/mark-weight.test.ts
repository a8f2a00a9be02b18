import { expect, it } from 'vitest'

import { markWeight } from './mark-weight.ts'

const weight = (before: string, time: string): number =>
  markWeight(Date.parse(`${before}Z`), Date.parse(`${time}Z`))

it.each([
  ['2025-12-31T23:59:00', '2026-01-01T00:00:00', 70],
  ['2026-01-31T23:00:00', '2026-02-01T00:00:00', 60],
  ['2026-01-05T20:00:00', '2026-01-06T00:00:00', 50],
  ['2026-01-05T11:59:00', '2026-01-05T12:00:00', 33],
  ['2026-01-05T05:59:00', '2026-01-05T06:00:00', 32],
  ['2026-01-05T08:59:00', '2026-01-05T09:00:00', 31],
  ['2026-01-05T09:59:00', '2026-01-05T10:00:00', 30],
  ['2026-01-05T09:29:00', '2026-01-05T09:30:00', 22],
  ['2026-01-05T09:34:00', '2026-01-05T09:35:00', 21],
  ['2026-01-05T09:31:00', '2026-01-05T09:32:00', 20],
  ['2026-01-05T09:31:01', '2026-01-05T09:31:02', 10],
])('between %s and %s what begins weighs %i', (before, time, expected) => {
  expect(weight(before, time)).toBe(expected)
})

it('a bar that spans midnight begins the day, wherever in the day it begins', () => {
  // 4 h bars of a zone that is half an hour off.
  expect(weight('2026-01-05T21:30:00', '2026-01-06T01:30:00')).toBe(50)
})

it('a clock that is put back begins no new day', () => {
  expect(weight('2026-10-25T02:59:00', '2026-10-25T02:00:00')).toBeLessThan(50)
})
