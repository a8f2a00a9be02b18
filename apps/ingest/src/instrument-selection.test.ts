import { expect, it } from 'vitest'

import { readSelection, selects } from './instrument-selection.ts'

it.each([
  ['*', 'BTC-PERPETUAL', true],
  ['BTC-*', 'BTC-PERPETUAL', true],
  ['BTC-*', 'BTC_USDC-PERPETUAL', false],
  ['BTC-*', 'btc-perpetual', false],
  ['*-PERPETUAL', 'SOL_USDC-PERPETUAL', true],
  ['BTC-*-C', 'BTC-27MAR26-100000-C', true],
  ['BTC-*-C', 'BTC-27MAR26-100000-P', false],
  ['BTC-*26-*-C', 'BTC-27MAR26-100000-C', true],
  ['BTC-*26-*-C', 'BTC-26-C', false],
  ['AB*BA', 'ABA', false],
  ['AB*BA', 'ABBA', true],
  ['BTC.*', 'BTC-PERPETUAL', false],
  ['BTCUSDT', 'BTCUSDT', true],
  ['BTCUSDT', 'BTCUSDTX', false],
])('%s takes %s: %s', (text, instrument, taken) => {
  expect(selects(readSelection([text]), instrument)).toBe(taken)
})

it('names each instrument and each pattern once', () => {
  expect(readSelection(['A', 'B-*', 'A', 'B-*'])).toEqual({ names: ['A'], patterns: ['B-*'] })
})
