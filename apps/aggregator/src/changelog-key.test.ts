import { expect, it } from 'vitest'

import { parseChangelogKey, windowKey } from './changelog-key.ts'

it('a window is found again by its key, whatever the venue calls its instrument', () => {
  for (const instrumentId of ['deribit:BTC-PERPETUAL', 'venue:A|1s|5', 'venue:|', 'venue:a|b']) {
    const window = { instrumentId, interval: '15m', windowStart: 1_767_571_200_000 } as const
    expect(parseChangelogKey(windowKey(window))).toEqual({ kind: 'window', ...window })
  }
})

it('a key that is no window is an instrument, with bars in its name or without', () => {
  for (const instrumentId of ['deribit:BTC-PERPETUAL', 'venue:a|b', 'venue:a|b|c', 'venue:a|1s|']) {
    expect(parseChangelogKey(instrumentId)).toEqual({ kind: 'instrument', instrumentId })
  }
  expect(parseChangelogKey('partition')).toEqual({ kind: 'partition' })
})
