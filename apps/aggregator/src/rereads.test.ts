import { expect, it } from 'vitest'

import { heartbeat, trade } from '../tests/market-log.ts'
import { mayNeed, mergeRanges } from './rereads.ts'

it('records that several windows ask for are read once, in the order of the log', () => {
  const ranges = [
    { from: 10, to: 12 },
    { from: 1, to: 3 },
    { from: 4, to: 5 },
    { from: 11, to: 20 },
    { from: 13, to: 14 },
    { from: 22, to: 22 },
  ]
  expect(mergeRanges(ranges)).toEqual([
    { from: 1, to: 5 },
    { from: 10, to: 20 },
    { from: 22, to: 22 },
  ])
})

// All instruments of a wide range were kept, for one trade.
it('a trade needs those of its instrument, a heartbeat those of all', () => {
  const wanted = trade(1, 0)
  const same = { venue: 'deribit', instrument: 'BTC-PERPETUAL' }
  expect(mayNeed(wanted, same)).toBe(true)
  expect(mayNeed(wanted, { ...same, instrument: 'ETH-PERPETUAL' })).toBe(false)
  expect(mayNeed(wanted, { ...same, venue: 'other' })).toBe(false)
  expect(mayNeed(heartbeat(0), { ...same, instrument: 'ETH-PERPETUAL' })).toBe(true)
})
