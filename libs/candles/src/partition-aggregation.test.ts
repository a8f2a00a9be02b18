import type { Trade } from '@tickertape/market-model'
import { describe, expect, test } from 'vitest'
import { FedPartition, fedSettings, minute } from './fed-partition.ts'
import { epoch, heartbeat, instrumentStatus, tradeEvent } from './market-logs.ts'
import { memoryCodec } from './memory-codec.ts'
import { PartitionAggregation } from './partition-aggregation.ts'

describe('outcomes of trades', () => {
  test('a trade for a closed window revises it until its minute is past the horizon', () => {
    const partition = new FedPartition()
    partition.trade(0, { sequence: 1 })
    partition.beat(5_000)
    expect(partition.trade(3_999, { sequence: 2 })).toBe('revised')
    expect(partition.trade(4_000, { sequence: 3 })).toBe('accepted')
    partition.beat(2 * minute + 999)
    expect(partition.trade(3_998, { sequence: 4 })).toBe('revised')
    partition.beat(2 * minute + 1_000)
    expect(partition.trade(3_997, { sequence: 5 })).toBe('late')
    expect(partition.trade(minute, { sequence: 6 })).toBe('revised')
  })

  test('an instrument never seen before begins with a late trade only if its window is not forgotten', () => {
    const partition = new FedPartition()
    partition.beat(2 * minute + 1_000)
    expect(partition.trade(0, { sequence: 1, instrument: 'ETH' })).toBe('late')
    expect(partition.aggregation.instrumentCount).toBe(0)
    expect(partition.trade(minute, { sequence: 1, instrument: 'ETH' })).toBe('revised')
  })

  test('a sequence that is covered is never late', () => {
    const partition = new FedPartition()
    partition.trade(0, { sequence: 7 })
    expect(partition.trade(0, { sequence: 7 })).toBe('duplicate')
    expect(partition.trade(2_000, { sequence: 7 })).toBe('conflict')
    partition.beat(60_000)
    expect(partition.trade(1, { sequence: 7 })).toBe('duplicate')
    partition.beat(60 * minute)
    expect(partition.trade(0, { sequence: 7 })).toBe('duplicate')
  })

  test('equal sequences of two instruments have nothing to do with each other', () => {
    const partition = new FedPartition()
    expect(partition.trade(0, { sequence: 7 })).toBe('accepted')
    expect(partition.trade(0, { sequence: 7, instrument: 'ETH' })).toBe('accepted')
    expect(partition.trade(0, { sequence: 7, venue: 'binance' })).toBe('accepted')
  })

  test('without sequences an id counts once, wherever it is said to be', () => {
    const partition = new FedPartition()
    expect(partition.trade(0, { tradeId: 'x' })).toBe('accepted')
    expect(partition.trade(0, { tradeId: 'x' })).toBe('duplicate')
    expect(partition.trade(10, { tradeId: 'x' })).toBe('conflict')
    expect(partition.trade(5_000, { tradeId: 'x' })).toBe('conflict')
    expect(partition.trade(10, { tradeId: 'y' })).toBe('accepted')
    partition.beat(minute)
    expect(partition.trade(0, { tradeId: 'x' })).toBe('duplicate')
    expect(partition.trade(minute, { tradeId: 'x' })).toBe('conflict')
    expect(partition.trade(20, { tradeId: 'z' })).toBe('revised')
    partition.beat(3 * minute)
    expect(partition.trade(0, { tradeId: 'x' })).toBe('late')
  })

  test('only confirmed trades count, in their highest version', () => {
    const partition = new FedPartition()
    expect(partition.trade(0, { tradeId: 'x', status: 'pending' })).toBe('uncounted')
    expect(partition.trade(0, { tradeId: 'x' })).toBe('conflict')
    expect(partition.trade(0, { tradeId: 'x', version: 2 })).toBe('accepted')
    expect(partition.trade(0, { tradeId: 'x', version: 1 })).toBe('superseded')
    partition.beat(2_000)
    expect(partition.candles).toMatchObject([{ tradeCount: 1 }])
  })

  test.each<[string, Partial<Trade>]>([
    ['no quantity', { quantity: { mantissa: 0, exponent: 0 } }],
    ['a negative quantity', { quantity: { mantissa: -1n, exponent: 0 } }],
    ['no price', { price: { mantissa: 0, exponent: 0 } }],
    ['a negative price', { price: { mantissa: -5, exponent: -1 } }],
    ['a price with a wild exponent', { price: { mantissa: 1, exponent: 2_000_000_000 } }],
    ['a quantity with a wild exponent', { quantity: { mantissa: 1, exponent: -2_000_000_000 } }],
    ['a notional with a wild exponent', { notionalUsd: { mantissa: 1, exponent: 401 } }],
    ['a time before 1970', { eventTime: -1 }],
  ])('a trade with %s is invalid', (_, facts) => {
    const partition = new FedPartition()
    expect(partition.trade(0, { sequence: 1, ...facts })).toBe('invalid')
    expect(partition.trade(0, { sequence: 1 })).toBe('accepted')
  })

  test('a trade further ahead of its receive time than the tolerance is from the future', () => {
    const partition = new FedPartition()
    expect(partition.trade(0, { sequence: 1, receivedAt: epoch - 5_001 })).toBe('future')
    expect(partition.trade(0, { sequence: 1, receivedAt: epoch - 5_000 })).toBe('accepted')
  })
})

describe('a candle', () => {
  const price = (mantissa: number) => ({ mantissa, exponent: 0 })

  test('has the facts of its trades, exact and in normal form', () => {
    const partition = new FedPartition({ indicators: ['close:span=12', 'close:com=1,min=2'] })
    const trades: Partial<Trade>[] = [
      { price: price(100), quantity: { mantissa: 10, exponent: -1 }, notionalUsd: price(100) },
      { price: price(130), quantity: { mantissa: 2, exponent: 0 }, takerSide: 'sell' },
      { price: price(90), quantity: { mantissa: 30, exponent: -1 }, takerSide: 'unknown' },
    ]
    for (const [at, facts] of trades.entries()) {
      partition.trade(at, { sequence: at + 5, notionalUsd: price(1), ...facts })
    }
    partition.beat(2_000)
    expect(partition.candles).toStrictEqual([
      {
        instrumentId: 'deribit:BTC',
        interval: '1s',
        windowStart: epoch,
        windowEnd: epoch + 1_000,
        open: { mantissa: 1, exponent: 2 },
        high: { mantissa: 13, exponent: 1 },
        low: { mantissa: 9, exponent: 1 },
        close: { mantissa: 9, exponent: 1 },
        volume: { mantissa: 6, exponent: 0 },
        buyVolume: { mantissa: 1, exponent: 0 },
        quoteVolume: { mantissa: 63, exponent: 1 },
        notionalUsd: { mantissa: 102, exponent: 0 },
        vwap: { mantissa: 105, exponent: 0 },
        tradeCount: 3,
        indicators: { 'close:span=12': 90 },
        quality: 'partial',
        revision: 0,
        final: true,
        firstSequence: 5,
        lastSequence: 7,
        rebuildId: null,
      },
    ])
  })

  test('opens and closes by event time and sequence, not by arrival', () => {
    const partition = new FedPartition()
    partition.trade(500, { sequence: 11, price: price(2) })
    partition.trade(500, { sequence: 12, price: price(3) })
    partition.trade(500, { sequence: 10, price: price(1) })
    partition.beat(2_000)
    expect(partition.candles[0]).toMatchObject({ open: price(1), close: price(3) })
  })

  test('has no notional once a part of it is unknown, the minute above it included', () => {
    const partition = new FedPartition()
    partition.trade(0, { sequence: 1, notionalUsd: price(1) })
    partition.trade(1, { sequence: 2, notionalUsd: null })
    partition.trade(5_000, { sequence: 3, notionalUsd: price(1) })
    partition.beat(62_000)
    const notionals = partition.candles.map(({ notionalUsd }) => notionalUsd)
    expect(notionals).toStrictEqual([null, price(1), null])
  })

  test('has a vwap at 18 decimals, rounded half to even', () => {
    const partition = new FedPartition()
    partition.trade(0, { sequence: 1, price: price(1), quantity: price(2) })
    partition.trade(1, { sequence: 2, price: price(2), quantity: price(1) })
    partition.beat(2_000)
    expect(partition.candles[0]?.vwap).toStrictEqual({
      mantissa: 1_333_333_333_333_333_333n,
      exponent: -18,
    })
  })

  test('with a price beyond any double is exact, and leaves the means as they were', () => {
    const partition = new FedPartition({ indicators: ['close:com=1'] })
    const huge = { mantissa: 7, exponent: 350 }
    partition.trade(0, { sequence: 1, price: price(5) })
    partition.trade(1_000, { sequence: 2, price: huge })
    partition.beat(3_000)
    expect(partition.candles[1]).toMatchObject({ close: huge, indicators: { 'close:com=1': 5 } })
  })
})

describe('feeds', () => {
  test('an instrument follows its trades to another feed, and its windows close there', () => {
    const partition = new FedPartition()
    partition.trade(0, { sequence: 1 })
    partition.trade(100, { sequence: 2, feedId: 'deribit-b' })
    expect(partition.beat(9_000)).toStrictEqual([])
    expect(partition.beat(9_000, 'deribit-b')).toStrictEqual(['BTC 1s 0 partial'])
  })

  test('a new feed that is ahead closes nothing of the instrument before its next heartbeat', () => {
    const partition = new FedPartition()
    partition.beat(60_000, 'deribit-b')
    partition.trade(0, { sequence: 1 })
    partition.apply(instrumentStatus('listed', epoch, 'deribit:BTC', 'deribit-b'))
    expect(partition.trade(10, { sequence: 2, feedId: 'deribit-b' })).toBe('accepted')
    expect(partition.beat(60_001, 'deribit-b')).toStrictEqual(['BTC 1s 0 partial'])
    expect(partition.candles[0]?.tradeCount).toBe(2)
    expect(partition.trade(20, { sequence: 3, feedId: 'deribit-b' })).toBe('revised')
  })

  test('a window that one feed closed is not opened again by a slower one', () => {
    const partition = new FedPartition()
    partition.trade(0, { sequence: 1 })
    partition.beat(30_000)
    partition.trade(29_500, { sequence: 2, feedId: 'deribit-b' })
    expect(partition.trade(1, { sequence: 3, feedId: 'deribit-b' })).toBe('revised')
    expect(partition.beat(31_000, 'deribit-b')).toStrictEqual([
      'BTC 1s 0 partial r1',
      'BTC 1s 29 complete',
    ])
  })
})

describe('state', () => {
  test('a trade that was late for one feed stays out of a replay when another feed lists its instrument', () => {
    const partition = new FedPartition()
    const late = tradeEvent({ eventTime: epoch, sequence: 1, instrument: 'SOL' })
    partition.trade(9 * minute, { sequence: 1 })
    partition.beat(9 * minute)
    expect(partition.apply(late).outcome).toBe('late')
    partition.apply(instrumentStatus('listed', epoch, 'deribit:SOL', 'deribit-b'))
    const { partition: state, instruments } = partition.aggregation.takeChanges(4)
    expect(state.restoreOffset).toBe(0)

    const restored = PartitionAggregation.restore(fedSettings, memoryCodec(), {
      partition: state,
      instruments,
      windows: [],
    })
    restored.replay(late, 2)
    expect(restored.openWindows).toBe(0)
  })

  test('restore begins at the first trade of the oldest open window, or at the next offset', () => {
    const { aggregation, ...partition } = new FedPartition()
    const events = [
      tradeEvent({ eventTime: epoch, sequence: 1 }),
      tradeEvent({ eventTime: epoch + 1_500, sequence: 3 }),
      tradeEvent({ eventTime: epoch + 1_400, sequence: 2 }),
    ]
    for (const [offset, event] of events.entries()) aggregation.apply(event, offset + 40)
    expect(partition.candles).toStrictEqual([])
    expect(aggregation.takeChanges(43).partition.restoreOffset).toBe(40)
    aggregation.apply(heartbeat(epoch + 2_000), 43)
    expect(aggregation.takeChanges(44).partition.restoreOffset).toBe(41)
    aggregation.apply(heartbeat(epoch + 3_000), 44)
    expect(aggregation.takeChanges(45).partition.restoreOffset).toBe(45)
  })

  test('a closed window is one record, until a tombstone when it is forgotten', () => {
    const partition = new FedPartition()
    const recorded = () => {
      const { windows } = partition.aggregation.takeChanges(9)
      return windows.map(({ interval, windowStart, value }) => {
        return `${interval} ${(windowStart - epoch) / 1_000}${value === null ? ' gone' : ''}`
      })
    }
    partition.trade(0, { sequence: 1 })
    expect(recorded()).toStrictEqual([])
    partition.beat(2_000)
    expect(recorded()).toStrictEqual(['1s 0'])
    expect(recorded()).toStrictEqual([])
    partition.trade(1_500, { sequence: 2 })
    partition.beat(minute + 1_000)
    expect(recorded()).toStrictEqual(['1s 1', '1m 0'])
    // One window stays: what comes next goes on from it.
    partition.beat(2 * minute + 1_000)
    expect(recorded()).toStrictEqual(['1s 0 gone', '1m 60'])
  })

  test('an instrument is recorded once, with the sequences of forgotten windows', () => {
    const partition = new FedPartition()
    const covered = () => {
      return partition.aggregation.takeChanges(9).instruments.map((state) => state.covered)
    }
    partition.trade(0, { sequence: 1 })
    expect(covered()).toStrictEqual([[]])
    expect(covered()).toStrictEqual([])
    partition.beat(2_000)
    partition.beat(2 * minute + 1_000)
    expect(covered()).toStrictEqual([[{ from: 1, to: 1 }]])
  })

  test('covered sequences have a limit, and one beyond it is late, not counted again', () => {
    const partition = new FedPartition()
    for (let at = 0; at < 1_030; at += 1) partition.trade(at, { sequence: 2 * at })
    partition.trade(2_500, { sequence: 5_000 })
    partition.beat(3 * minute)
    const [state] = partition.aggregation.takeChanges(2_000).instruments
    expect(state?.covered).toHaveLength(1_024)
    expect(partition.trade(1_029, { sequence: 2 * 1_029 })).toBe('duplicate')
    expect(partition.trade(0, { sequence: 0 })).toBe('late')
  })

  test('a record between the steps of a heartbeat is refused, and so is its offset', () => {
    const { aggregation } = new FedPartition({ maxCandlesPerStep: 1 })
    aggregation.apply(tradeEvent({ eventTime: epoch, sequence: 1 }), 0)
    aggregation.apply(tradeEvent({ eventTime: epoch + 1_000, sequence: 2 }), 1)
    const beat = heartbeat(epoch + 5_000)
    expect(aggregation.apply(beat, 2)).toMatchObject({ unfinished: true, candles: [{}] })
    const trade = tradeEvent({ eventTime: epoch + 5_000, sequence: 3 })
    expect(() => aggregation.apply(trade, 3)).toThrow('the heartbeat at 2 has candles to come')
    expect(() => aggregation.takeChanges(3)).toThrow('the heartbeat at 2 has candles to come')
    expect(aggregation.takeChanges(2).partition.committedOffset).toBe(2)
    expect(aggregation.apply(beat, 2)).toMatchObject({ unfinished: false, candles: [{}] })
    expect(aggregation.apply(trade, 3).outcome).toBe('accepted')
  })
})
