import { describe, expect, it } from 'vitest'

import { KnownGaps } from './known-gaps.ts'
import type { StoredGap } from './known-gaps.ts'

const owner = { instrumentId: 'v:A', feedId: 'v', partition: 0 }

function gap(changes: Partial<StoredGap> = {}): StoredGap {
  return {
    gapId: 'g1',
    feedId: 'v',
    instrumentId: null,
    fromTime: 1_000,
    toTime: 2_000,
    fromSequence: null,
    toSequence: null,
    state: 'open',
    partition: 0,
    ...changes,
  }
}

describe('gaps in memory', () => {
  it("an instrument's own record stands above the one of its feed", () => {
    const gaps = new KnownGaps()
    gaps.add([gap(), gap({ instrumentId: 'v:A', state: 'backfilled' })])
    expect(gaps.of(owner, 0, 5_000).map(({ state }) => state)).toEqual(['backfilled'])
    expect(gaps.of({ ...owner, instrumentId: 'v:B' }, 0, 5_000).map(({ state }) => state)).toEqual([
      'open',
    ])
  })

  it('a gap is told where it touches the time that is asked for, and in its partition', () => {
    const gaps = new KnownGaps()
    gaps.add([gap(), gap({ gapId: 'g2', fromTime: 3_000, toTime: 4_000, state: 'backfilled' })])
    expect(gaps.of(owner, 2_000, 3_000)).toEqual([])
    expect(gaps.of(owner, 1_999, 3_001).map(({ gapId }) => gapId)).toEqual(['g1', 'g2'])
    expect(gaps.of({ ...owner, partition: 1 }, 0, 9_000)).toEqual([])
  })

  it('a gap of a feed is one, and open while it is so in any partition', () => {
    const gaps = new KnownGaps()
    gaps.add([gap({ state: 'backfilled' }), gap({ partition: 1 })])
    expect(gaps.all().map(({ state }) => state)).toEqual(['open'])
    gaps.add([gap({ partition: 1, state: 'backfilled' })])
    expect(gaps.all().map(({ state }) => state)).toEqual(['backfilled'])
  })

  it('open gaps are the last to be forgotten', () => {
    const gaps = new KnownGaps()
    gaps.add([gap({ gapId: 'old', toTime: 1_001 })])
    gaps.add(
      Array.from({ length: 40_001 }, (_, at) =>
        gap({ gapId: `x${at}`, fromTime: at, toTime: 5_000 + at, state: 'backfilled' }),
      ),
    )
    expect(gaps.all().length).toBe(20_000)
    expect(gaps.of(owner, 1_000, 1_001).map(({ gapId }) => gapId)).toContain('old')
  })
})
