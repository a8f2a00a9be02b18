import type { Candle } from '@tickertape/market-model'
import { expect, it } from 'vitest'

import { closedWindows } from './candle-freshness.ts'

type Closed = Pick<Candle, 'interval' | 'rebuildId' | 'revision' | 'windowEnd'>

function candle(interval: Candle['interval'], windowEnd: number, other: Partial<Closed> = {}) {
  return { interval, windowEnd, revision: 0, rebuildId: null, ...other }
}

it('windows that end together count once for each interval, however many instruments they have', () => {
  const candles = [
    ...Array.from({ length: 1_000 }, () => candle('1s', 60_000)),
    ...Array.from({ length: 1_000 }, () => candle('1m', 60_000)),
    candle('1s', 61_000),
  ]
  expect(closedWindows(candles, 0)).toEqual([
    { interval: '1s', windowEnd: 60_000 },
    { interval: '1m', windowEnd: 60_000 },
    { interval: '1s', windowEnd: 61_000 },
  ])
})

it('revisions, rebuilt candles and windows of long ago say nothing of freshness', () => {
  const candles = [
    candle('1s', 59_000),
    candle('1s', 60_000, { revision: 1 }),
    candle('1s', 61_000, { rebuildId: 5 }),
    candle('1s', 62_000),
  ]
  expect(closedWindows(candles, 60_000)).toEqual([{ interval: '1s', windowEnd: 62_000 }])
})
