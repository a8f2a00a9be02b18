import type { SequenceGap } from '@tickertape/market-model'
import { expect, it } from 'vitest'

import { OpenGaps } from './open-gaps.ts'

function gap(
  gapId: string,
  instrumentId: string | null,
  state: SequenceGap['state'],
  fromTime = 1_000,
) {
  return { gapId, instrumentId, fromTime, state }
}

it('a gap is open until it is told closed, and the oldest counts', () => {
  const gaps = new OpenGaps()
  gaps.told(gap('a', 'X', 'open', 3_000))
  gaps.told(gap('b', 'Y', 'open', 2_000))
  gaps.told(gap('b', 'Y', 'open', 2_000))
  expect([gaps.count, gaps.from]).toEqual([2, 2_000])
  gaps.told(gap('b', 'Y', 'backfilled', 2_000))
  expect([gaps.count, gaps.from]).toEqual([1, 3_000])
  gaps.told(gap('a', 'X', 'unrecoverable', 3_000))
  gaps.told(gap('never told', 'X', 'unrecoverable'))
  expect([gaps.count, gaps.from]).toEqual([0, undefined])
})

it('a gap of the whole feed is open until it is closed as a whole', () => {
  const gaps = new OpenGaps()
  gaps.told(gap('feed', null, 'open'))
  gaps.told(gap('feed', 'X', 'open'))
  gaps.told(gap('feed', 'X', 'backfilled'))
  gaps.told(gap('feed', 'Y', 'backfilled'))
  expect(gaps.count).toBe(1)
  gaps.told(gap('feed', 'Z', 'open'))
  gaps.told(gap('feed', null, 'backfilled'))
  expect(gaps.count).toBe(0)
})
