import { expect, it } from 'vitest'

import { readAddress, writeAddress } from './view-state.ts'

it('a link leads to the same page', () => {
  const state = {
    view: 'statistics',
    instrument: 'kraken:BTC/USD',
    interval: '15m',
    of: 'pairs',
    span: '24h',
  } as const
  expect(writeAddress(state)).toContain('instrument=kraken:BTC/USD')
  expect(readAddress(writeAddress(state))).toEqual(state)
})

it('what an address says that means nothing is passed over', () => {
  expect(readAddress('?view=nonsense&interval=7m')).toMatchObject({
    view: 'market',
    interval: '1m',
    instrument: '',
  })
})
