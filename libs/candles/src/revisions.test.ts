import type { InstrumentStatus, MarketEvent } from '@tickertape/market-model'
import { describe, expect, test } from 'vitest'
import { FedPartition, minute } from './fed-partition.ts'
import { epoch, sequenceGap } from './market-logs.ts'

const price = (mantissa: number) => ({ mantissa, exponent: 0 })

function described(facts: Partial<InstrumentStatus>): MarketEvent {
  return {
    type: 'InstrumentStatus',
    value: {
      instrumentId: 'deribit:BTC',
      feedId: 'deribit',
      status: 'listed',
      eventTime: epoch,
      receivedAt: epoch,
      base: null,
      quote: null,
      kind: null,
      quantityUnit: null,
      ...facts,
    },
  }
}

describe('late trades', () => {
  test('are revisions at the next heartbeat, up to every closed window above', () => {
    const partition = new FedPartition({ intervals: ['1s', '1m', '5m'], horizonMs: 10 * minute })
    partition.trade(0, { sequence: 1 })
    partition.trade(500, { sequence: 3 })
    partition.beat(5 * minute + 1_000)
    expect(partition.trade(400, { sequence: 2, price: price(9) })).toBe('revised')
    expect(partition.trade(10_000, { sequence: 4, price: price(7) })).toBe('revised')
    expect(partition.beat(5 * minute + 1_000)).toStrictEqual([
      'BTC 1s 0 partial r1',
      'BTC 1s 10 complete r1',
      'BTC 1m 0 partial r1',
      'BTC 1m 60 quiet r1',
      'BTC 1m 120 quiet r1',
      'BTC 1m 180 quiet r1',
      'BTC 1m 240 quiet r1',
      'BTC 5m 0 partial r1',
    ])
    expect(partition.candles.at(-1)).toMatchObject({ tradeCount: 4, close: price(7) })
  })

  test('that change no close leave the flat minutes behind them alone', () => {
    const partition = new FedPartition({ horizonMs: 10 * minute })
    partition.trade(0, { sequence: 1 })
    partition.trade(500, { sequence: 3 })
    partition.beat(3 * minute + 1_000)
    partition.trade(400, { sequence: 2, price: price(9) })
    expect(partition.beat(3 * minute + 1_000)).toStrictEqual([
      'BTC 1s 0 partial r1',
      'BTC 1m 0 partial r1',
    ])
  })

  test('before the first trade bring the flat minutes between', () => {
    const partition = new FedPartition({ horizonMs: 10 * minute })
    partition.trade(3 * minute, { sequence: 2 })
    partition.beat(4 * minute + 1_000)
    expect(partition.trade(minute + 1, { sequence: 1 })).toBe('revised')
    expect(partition.beat(4 * minute + 1_000)).toStrictEqual([
      'BTC 1s 60 partial r1',
      'BTC 1m 60 partial r1',
      'BTC 1m 120 quiet r1',
      'BTC 1s 180 complete r1',
      'BTC 1m 180 complete r1',
    ])
  })

  test('revise their own means and nobody else’s', () => {
    const partition = new FedPartition({
      intervals: ['1s'],
      indicators: ['close:alpha=0.5,adjust=false'],
    })
    for (const [at, mantissa] of [10, 20, 30].entries()) {
      partition.trade(at * 1_000, { sequence: at * 2 + 1, price: price(mantissa) })
    }
    partition.beat(4_000)
    partition.trade(1_500, { sequence: 4, price: price(40) })
    partition.beat(5_000)
    const means = partition.candles.map(({ indicators }) => Object.values(indicators)[0])
    expect(means).toStrictEqual([10, 15, 22.5, 25])
  })
})

describe('means of prices', () => {
  const indicators = ['price:alpha=0.5,adjust=false']

  test('observe the trades of a window in order, and a revision observes them again', () => {
    const partition = new FedPartition({ indicators, horizonMs: 10 * minute })
    partition.trade(200, { sequence: 3, price: price(40) })
    partition.trade(0, { sequence: 1, price: price(10) })
    partition.beat(minute + 1_000)
    expect(partition.candles.map((candle) => Object.values(candle.indicators))).toStrictEqual([
      [25],
      [25],
    ])
    expect(partition.trade(100, { sequence: 2, price: price(30) })).toBe('revised')
    partition.beat(minute + 1_000)
    expect(partition.candles.slice(2).map((candle) => candle.indicators)).toMatchObject([
      { 'price:alpha=0.5,adjust=false': 30 },
      { 'price:alpha=0.5,adjust=false': 30 },
    ])
  })
})

describe('corrections', () => {
  test('of a trade in a closed window are made from the log', () => {
    const partition = new FedPartition()
    for (const [at, mantissa] of [5, 9, 7].entries()) {
      partition.trade(at, { tradeId: `t${at}`, price: price(mantissa) })
    }
    partition.beat(2_000)
    const corrected = { tradeId: 't1', version: 1, price: price(6) }
    expect(partition.trade(1, corrected)).toBe('revised')
    partition.beat(3_000)
    expect(partition.candles).toMatchObject([
      { high: price(9), revision: 0 },
      { high: price(7), open: price(5), tradeCount: 3, revision: 1 },
    ])
  })

  test('may move a trade to another window, and revise both', () => {
    const partition = new FedPartition({ intervals: ['1s'] })
    partition.trade(0, { tradeId: 'a', price: price(5) })
    partition.trade(1, { tradeId: 'b', price: price(9) })
    partition.trade(1_000, { tradeId: 'c', price: price(3) })
    partition.beat(3_000)
    partition.trade(1_500, { tradeId: 'b', version: 1, price: price(9) })
    expect(partition.beat(4_000)).toStrictEqual(['BTC 1s 0 partial r1', 'BTC 1s 1 complete r1'])
    expect(partition.candles.slice(2)).toMatchObject([
      { tradeCount: 1, high: price(5) },
      { tradeCount: 2, close: price(9) },
    ])
  })

  test('may take the only trade of a window back: its candle is flat at the close before', () => {
    const partition = new FedPartition({ intervals: ['1s'] })
    partition.trade(0, { sequence: 1, price: price(5) })
    partition.trade(1_000, { sequence: 2, price: price(8) })
    partition.beat(3_000)
    const cancel = { sequence: 2, version: 1, status: 'cancelled' as const }
    expect(partition.trade(1_000, cancel)).toBe('uncounted')
    expect(partition.beat(4_000)).toStrictEqual(['BTC 1s 1 quiet r1'])
    expect(partition.candles.at(-1)).toMatchObject({ open: price(5), tradeCount: 0, vwap: null })
  })

  test('to a forgotten window are late as a whole', () => {
    const partition = new FedPartition({ intervals: ['1s'], horizonMs: 10_000 })
    partition.trade(0, { sequence: 1 })
    partition.trade(20_000, { sequence: 2 })
    partition.beat(22_000)
    expect(partition.trade(1, { sequence: 2, version: 1 })).toBe('late')
    expect(partition.trade(20_000, { sequence: 1, version: 1 })).toBe('late')
    expect(partition.beat(23_000)).toStrictEqual([])
  })
})

describe('gaps', () => {
  const gap = {
    instrumentId: 'deribit:BTC',
    fromTime: epoch,
    toTime: epoch + 3_000,
    fromSequence: 2,
    toSequence: 3,
  }

  test('that are open hold their windows beyond the horizon until a heartbeat finds them announced as filled', () => {
    const partition = new FedPartition()
    partition.trade(0, { sequence: 1 })
    partition.apply(sequenceGap(gap))
    partition.beat(20 * minute)
    expect(partition.trade(1_000, { sequence: 2 })).toBe('revised')
    expect(partition.trade(minute, { sequence: 9 })).toBe('late')
    partition.apply(sequenceGap({ ...gap, state: 'backfilled' }))
    expect(partition.trade(2_000, { sequence: 3 })).toBe('revised')
    expect(partition.beat(20 * minute).slice(0, 4)).toStrictEqual([
      'BTC 1s 0 partial r1',
      'BTC 1s 1 backfilled r1',
      'BTC 1s 2 backfilled r1',
      'BTC 1m 0 partial r1',
    ])
    expect(partition.trade(2_500, { sequence: 4 })).toBe('late')
  })

  test('are filled once all of their sequences were taken, whoever announces it', () => {
    const partition = new FedPartition()
    partition.trade(0, { sequence: 1 })
    partition.trade(4_000, { sequence: 4 })
    partition.apply(sequenceGap(gap))
    expect(partition.beat(6_000)).toStrictEqual(['BTC 1s 0 gap', 'BTC 1s 4 complete'])
    partition.trade(1_000, { sequence: 2 })
    expect(partition.beat(6_000)).toStrictEqual(['BTC 1s 1 gap r1'])
    partition.trade(2_000, { sequence: 3 })
    expect(partition.beat(6_000)).toStrictEqual([
      'BTC 1s 0 partial r1',
      'BTC 1s 1 backfilled r2',
      'BTC 1s 2 backfilled r1',
    ])
  })

  test('hold nothing any more once event time has passed their end by the span', () => {
    const partition = new FedPartition({ gapSpanMs: 30 * minute })
    partition.trade(0, { sequence: 1 })
    partition.apply(sequenceGap(gap))
    partition.beat(30 * minute + 3_999)
    expect(partition.trade(1_000, { sequence: 2 })).toBe('revised')
    partition.beat(30 * minute + 4_000)
    expect(partition.trade(2_000, { sequence: 3 })).toBe('late')
  })

  test('of the whole feed do not speak for an instrument that has a record of its own', () => {
    const partition = new FedPartition({ intervals: ['1s'] })
    const ofFeed = { fromTime: epoch, toTime: epoch + 1_000 }
    partition.apply(sequenceGap(ofFeed))
    partition.apply(sequenceGap({ ...ofFeed, instrumentId: 'deribit:BTC', state: 'backfilled' }))
    partition.trade(-2_000, { sequence: 1 })
    partition.trade(0, { sequence: 2 })
    partition.trade(-2_000, { sequence: 1, instrument: 'ETH' })
    partition.trade(0, { sequence: 2, instrument: 'ETH' })
    expect(partition.beat(2_000).slice(2)).toStrictEqual(['BTC 1s 0 backfilled', 'ETH 1s 0 gap'])
  })
})

describe('what an instrument is', () => {
  test('an inverse contract has its volume in quote and its turnover in base', () => {
    const partition = new FedPartition({ intervals: ['1s'] })
    const facts = { kind: 'perpetual' as const, quantityUnit: 'quote' as const }
    partition.apply(described(facts))
    partition.trade(0, { sequence: 1, price: price(3), quantity: price(10) })
    partition.trade(1, { sequence: 2, price: price(7), quantity: price(10) })
    partition.beat(2_000)
    expect(partition.candles).toMatchObject([
      {
        volume: { mantissa: 2, exponent: 1 },
        // 3.333333333333333333 + 1.428571428571428571
        quoteVolume: { mantissa: 4_761_904_761_904_761_904n, exponent: -18 },
        vwap: { mantissa: 4_200_000_000_000_000_001n, exponent: -18 },
      },
    ])
  })

  test('a combination trades at zero and below once it is known to be one', () => {
    const partition = new FedPartition({ intervals: ['1s'] })
    expect(partition.trade(0, { sequence: 1, price: price(-5) })).toBe('invalid')
    const facts = { kind: 'combo' as const }
    partition.apply(described(facts))
    expect(partition.trade(0, { sequence: 1, price: price(-5) })).toBe('accepted')
    expect(partition.trade(1, { sequence: 2, price: price(0) })).toBe('accepted')
    partition.beat(2_000)
    expect(partition.candles).toMatchObject([{ open: price(-5), high: price(0), close: price(0) }])
  })
})

describe('candles in progress', () => {
  test('show what open windows and those above them come to, once for each change', () => {
    const partition = new FedPartition()
    partition.trade(0, { sequence: 1, price: price(5) })
    partition.beat(2_000)
    partition.trade(2_000, { sequence: 2, price: price(6) })
    const live = partition.aggregation.takeLiveCandles()
    expect(live).toMatchObject([
      { interval: '1s', windowStart: epoch + 2_000, final: false, tradeCount: 1 },
      { interval: '1m', windowStart: epoch, final: false, tradeCount: 2, open: price(5) },
    ])
    expect(partition.aggregation.takeLiveCandles()).toStrictEqual([])
  })
})

describe('a window that stays open for long', () => {
  test('is set aside in the changelog, and closes as if it had not been', () => {
    const partition = new FedPartition({ maxReplayedRecords: 2, intervals: ['1s'] })
    partition.trade(0, { sequence: 1, price: price(5) })
    partition.trade(1_000, { sequence: 2 })
    partition.trade(1_001, { sequence: 3 })
    const changes = partition.aggregation.takeChanges(3)
    expect(changes.partition.restoreOffset).toBe(1)
    expect(changes.windows).toMatchObject([{ windowStart: epoch }])
    expect(partition.trade(500, { sequence: 4, price: price(6) })).toBe('accepted')
    expect(partition.trade(0, { sequence: 1, price: price(7) })).toBe('conflict')
    expect(partition.beat(2_000)).toStrictEqual(['BTC 1s 0 partial'])
    expect(partition.candles).toMatchObject([{ tradeCount: 2, open: price(5), close: price(6) }])
  })
})
