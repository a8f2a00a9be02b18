import { expect, it } from 'vitest'

import type { Candle } from '@tickertape/market-model'

import { CandleTally } from './candle-tally.ts'

const one = { mantissa: 1, exponent: 0 }

function candle(changes: Partial<Candle> = {}): Candle {
  return {
    instrumentId: 'deribit:BTC-PERPETUAL',
    interval: '1s',
    windowStart: 1_000,
    windowEnd: 2_000,
    open: one,
    high: one,
    low: one,
    close: one,
    volume: { mantissa: 25, exponent: -1 },
    buyVolume: one,
    quoteVolume: one,
    notionalUsd: null,
    vwap: one,
    tradeCount: 2,
    indicators: {},
    quality: 'complete',
    revision: 0,
    final: true,
    firstSequence: 1,
    lastSequence: 2,
    rebuildId: null,
    ...changes,
  }
}

const first = candle({ quality: 'partial' })
const second = candle({ windowStart: 2_000 })
const expected = {
  candles: new Map([['1s', 2]] as const),
  trades: 4,
  volume: { mantissa: 5, exponent: 0 },
}

function problemsOf(candles: readonly Candle[]): string {
  const tally = new CandleTally()
  for (const each of candles) tally.add(each)
  return tally.problems(expected).join('\n')
}

it('candles that are all there once are no problem', () => {
  expect(problemsOf([first, second])).toBe('')
})

it.each([
  ['one that is missing', [first], 'candles of 1s: 1 instead of 2'],
  ['one that comes twice', [first, second, second], 'twice'],
  ['a trade that is missing', [first, { ...second, tradeCount: 1 }], 'trades in candles of 1s: 3'],
  ['a quantity that differs', [first, { ...second, volume: one }], 'volume of 1s: 3.5'],
  ['a revision', [first, { ...second, revision: 1 }], 'revision 1'],
  ['another quality', [first, { ...second, quality: 'gap' as const }], 'is gap'],
  ['an interval that nobody asked for', [first, second, candle({ interval: '5m' })], '5m'],
])('%s is a problem', (_, candles, problem) => {
  expect(problemsOf(candles)).toContain(problem)
})
