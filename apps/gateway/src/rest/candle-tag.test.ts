import { expect, it } from 'vitest'

import type { EncodedCandle } from '../market-view.ts'
import { candleTag } from './candle-tag.ts'

function open(windowStart: number, json: string): EncodedCandle {
  const of = { instrumentId: 'v:A', interval: '1s', revision: 0, rebuildId: null } as const
  return { ...of, windowStart, final: false, json }
}

// While heartbeats stay away memory holds several open windows. Only the text of the last one was in the tag, so that
// a page whose earlier open window had changed was answered by 304.
it('a change of any open window changes the tag', () => {
  const tagOf = (held: readonly EncodedCandle[]): string =>
    candleTag(
      {
        stored: [],
        held,
        hasEarlier: false,
        hasLater: false,
        position: { candles: [], marketEvents: [] },
      },
      '',
    )
  const before = tagOf([open(0, 'a'), open(1_000, 'b'), open(2_000, 'c')])
  expect(tagOf([open(0, 'a'), open(1_000, 'x'), open(2_000, 'c')])).not.toBe(before)
  expect(tagOf([open(0, 'x'), open(1_000, 'b'), open(2_000, 'c')])).not.toBe(before)
  expect(tagOf([open(0, 'a'), open(1_000, 'b'), open(2_000, 'c')])).toBe(before)
})
