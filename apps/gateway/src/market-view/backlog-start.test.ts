import { expect, test } from 'vitest'

import { backlogStart } from './backlog-start.ts'

test.each([
  ['at the time, where that is within the other bounds', 900, 950, 950],
  ['no more records back than are remembered', 0, 100, 500],
  ['not before the beginning of the log', 800, 100, 800],
  ['at the rows, where the sink is further behind than the time', 0, 1_500, 1_000],
  ['at the rows, where they are before the log', 2_000, 1_500, 1_000],
])('a backlog begins %s', (_, low, time, expected) => {
  const atTime = new Map([[0, time]])
  expect(backlogStart([1_000], { low: [low], atTime, records: 500 })).toEqual([expected])
})

test('a partition of which no time is known is read from the rows on', () => {
  expect(backlogStart([1_000], { low: [0], atTime: new Map(), records: 500 })).toEqual([1_000])
})
