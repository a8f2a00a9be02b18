import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { formatDecimal, parseDecimal } from '@tickertape/market-model'

import { withOffBookIds } from './history-binance.ts'
import type { MappedTrade } from './mapped-trade.ts'
import { mapBinanceHistory, mapBinanceMessage } from './mapper-binance.ts'
import type { BinanceRows } from './mapper-binance.ts'
import { sampleTrades } from './testing/sample-trade.ts'
import { rowOf } from './testing/rows-of.ts'

const context = { feedId: 'f', receivedAt: 1_723_161_300_000, futureToleranceMs: 5_000 }

const usdm: BinanceRows = { venue: 'binance-usdm' }

const sizes = new Map([
  ['BTCUSD_PERP', parseDecimal('100')],
  ['ETHUSD_PERP', parseDecimal('10')],
])
const coinm: BinanceRows = { venue: 'binance-coinm', contractSize: (each) => sizes.get(each) }

const aggregate = {
  e: 'aggTrade',
  E: 1723161256450,
  a: 2291822137,
  s: 'BTCUSDT',
  p: '61800.30',
  q: '0.244',
  nq: '0.200',
  f: 5266583935,
  l: 5266583937,
  T: 1723161256431,
  m: true,
}

const single = {
  e: 'trade',
  E: 1723161256322,
  T: 1723161256322,
  s: 'BTCUSDT',
  t: 5266583935,
  p: '61800.30',
  q: '0.006',
  X: 'MARKET',
  m: false,
}

function mapOne(event: Readonly<Record<string, unknown>>, rows: BinanceRows): MappedTrade {
  const text = JSON.stringify({ stream: 'x', data: event })
  return rowOf(mapBinanceMessage(text, context, rows))
}

describe('an aggregate trade', () => {
  it('has an id of its own kind, and its sequence is the one of aggregate trades', () => {
    expect(mapOne(aggregate, usdm)).toMatchObject({
      kind: 'trade',
      sequence: 2291822137,
      trade: {
        venue: 'binance-usdm',
        tradeId: 'a2291822137',
        sequence: 2291822137,
        takerSide: 'sell',
        eventTime: 1723161256431,
        quantity: { mantissa: 244, exponent: -3 },
        notionalUsd: null,
      },
    })
  })

  it('from history is the one from the stream', () => {
    const { a, T, f, l, m, p, q } = aggregate
    const body = JSON.stringify([{ a, p, q, f, l, T, m }])
    expect(mapBinanceHistory('BTCUSDT', body, context, usdm)).toEqual([mapOne(aggregate, usdm)])
  })

  it('is never taken for the single trade of the same number', () => {
    const agg = mapOne({ ...aggregate, a: single.t }, usdm)
    const one = mapOne(single, usdm)
    expect([agg, one].map((each) => each.kind === 'trade' && each.trade.tradeId)).toEqual([
      'a5266583935',
      '5266583935',
    ])
  })
})

describe('a single trade of a future', () => {
  it('of the market is one', () => {
    expect(mapOne(single, usdm)).toMatchObject({ kind: 'trade', sequence: 5266583935 })
  })

  it.each(['INSURANCE_FUND', 'ADL', 'NA'])('of %s is none, and covers its id', (origin) => {
    expect(mapOne({ ...single, X: origin, p: '0', q: '0' }, usdm)).toMatchObject({
      kind: 'rejected',
      reason: 'invalid',
      message: `no market trade: ${origin}`,
      sequence: 5266583935,
    })
  })
})

describe('a trade of a coin-margined contract', () => {
  const event = { ...aggregate, s: 'BTCUSD_PERP', q: '12' }

  it('has the dollars that its contracts are worth as its quantity', () => {
    const mapped = mapOne(event, coinm)
    if (mapped.kind !== 'trade') throw new Error(mapped.message)
    expect(formatDecimal(mapped.trade.quantity)).toBe('1200')
    expect(mapped.trade.notionalUsd).toEqual(mapped.trade.quantity)
  })

  it('of an unknown size is not guessed at', () => {
    expect(mapOne({ ...event, s: 'XRPUSD_PERP' }, coinm)).toMatchObject({
      kind: 'rejected',
      message: 'the size of a contract of XRPUSD_PERP is not known',
      instrument: 'XRPUSD_PERP',
      sequence: aggregate.a,
    })
  })
})

it('whatever ids a page of single trades passes over, nothing of it is missing afterwards', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 40 }),
      fc.integer({ min: 1, max: 20 }),
      (ids, from) => {
        const present = ids.filter((id) => id >= from).toSorted((one, other) => one - other)
        const page = present.flatMap((id) => sampleTrades(id, id))
        const whole = withOffBookIds(page, 'X', from)
        const last = present.at(-1) ?? from - 1
        expect(whole.map(({ sequence }) => sequence)).toEqual(
          Array.from({ length: last - from + 1 }, (_, index) => from + index),
        )
        expect(whole.filter(({ kind }) => kind === 'trade')).toEqual(page)
      },
    ),
  )
})
