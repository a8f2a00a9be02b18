import { describe, expect, test } from 'vitest'
import { FedPartition, minute } from './fed-partition.ts'
import { epoch, heartbeat, instrumentStatus, sequenceGap } from './market-logs.ts'

describe('closing', () => {
  test('a window closes exactly when the watermark reaches its end and grace', () => {
    const partition = new FedPartition()
    partition.trade(500, { sequence: 1 })
    expect(partition.beat(1_999)).toStrictEqual([])
    expect(partition.beat(2_000)).toStrictEqual(['BTC 1s 0 partial'])
    expect(partition.beat(2_500)).toStrictEqual([])
  })

  test('a trade exactly at windowEnd opens the next candle', () => {
    const partition = new FedPartition()
    partition.trade(999, { sequence: 1 })
    partition.trade(1_000, { sequence: 2 })
    expect(partition.beat(9_000)).toStrictEqual(['BTC 1s 0 partial', 'BTC 1s 1 complete'])
  })

  test('trades alone close nothing, however far they are ahead', () => {
    const partition = new FedPartition()
    partition.trade(0, { sequence: 1 })
    partition.trade(3_600_000, { sequence: 2 })
    expect(partition.candles).toStrictEqual([])
    expect(partition.aggregation.openWindows).toBe(2)
  })

  test('candles come by window end, then interval, then instrument by code unit', () => {
    const partition = new FedPartition()
    for (const instrument of ['eth', 'SOL', 'BTC']) {
      partition.trade(58_500, { instrument, sequence: 1 })
      partition.trade(59_500, { instrument, sequence: 2 })
    }
    expect(partition.beat(62_000)).toStrictEqual([
      'BTC 1s 58 partial',
      'SOL 1s 58 partial',
      'eth 1s 58 partial',
      'BTC 1s 59 complete',
      'SOL 1s 59 complete',
      'eth 1s 59 complete',
      'BTC 1m 0 partial',
      'SOL 1m 0 partial',
      'eth 1m 0 partial',
    ])
  })

  test('a heartbeat closes windows of its own feed only', () => {
    const partition = new FedPartition()
    partition.trade(0, { sequence: 1 })
    partition.trade(0, { sequence: 1, feedId: 'binance', instrument: 'SOL' })
    expect(partition.beat(5_000, 'binance')).toStrictEqual(['SOL 1s 0 partial'])
  })

  test('a heartbeat behind the watermark moves nothing', () => {
    const partition = new FedPartition()
    partition.beat(10_000)
    partition.beat(1_000)
    expect(partition.aggregation.watermarks()).toStrictEqual([
      {
        feedId: 'deribit',
        upTo: epoch + 10_000,
        closedUntil: epoch + 9_000,
        forgottenUntil: epoch - minute,
      },
    ])
    expect(partition.trade(8_999, { sequence: 1 })).toBe('revised')
  })

  test('a heartbeat too far ahead of its receive time closes nothing', () => {
    const partition = new FedPartition()
    partition.trade(0, { sequence: 1 })
    const wild = partition.apply(heartbeat(epoch + 1e9, 'deribit', epoch + 1e9 - 5_001))
    expect(wild).toStrictEqual({
      outcome: 'future',
      candles: [],
      unfinished: false,
      needs: null,
    })
    expect(partition.trade(1, { sequence: 2 })).toBe('accepted')
  })

  test('a heartbeat may be as far ahead as the tolerance', () => {
    const partition = new FedPartition()
    expect(partition.apply(heartbeat(epoch, 'deribit', epoch - 5_000)).outcome).toBe('accepted')
  })
})

describe('quiet markets', () => {
  test('flat minutes follow the first trade; quiet seconds are implicit', () => {
    const partition = new FedPartition()
    partition.trade(30_500, { sequence: 1, price: { mantissa: 7, exponent: 0 } })
    expect(partition.beat(3 * minute + 1_000)).toStrictEqual([
      'BTC 1s 30 partial',
      'BTC 1m 0 partial',
      'BTC 1m 60 quiet',
      'BTC 1m 120 quiet',
    ])
    const seven = { mantissa: 7, exponent: 0 }
    const nothing = { mantissa: 0, exponent: 0 }
    expect(partition.candles.at(-1)).toMatchObject({
      open: seven,
      high: seven,
      low: seven,
      close: seven,
      volume: nothing,
      buyVolume: nothing,
      quoteVolume: nothing,
      notionalUsd: nothing,
      vwap: null,
      tradeCount: 0,
      firstSequence: null,
      lastSequence: null,
    })
  })

  test('flat minutes count for the means', () => {
    const partition = new FedPartition({ indicators: ['close:com=1,min=3'] })
    partition.trade(0, { sequence: 1, price: { mantissa: 7, exponent: 0 } })
    partition.beat(4 * minute)
    expect(partition.candles.map(({ indicators }) => indicators)).toStrictEqual([
      {},
      {},
      {},
      { 'close:com=1,min=3': 7 },
    ])
  })

  test('a higher interval is what its trades alone would make, whatever minutes were flat', () => {
    const partition = new FedPartition({ intervals: ['1s', '1m', '5m'] })
    const price = (mantissa: number) => ({ mantissa, exponent: 0 })
    partition.trade(0, { sequence: 1, price: price(5) })
    partition.trade(7 * minute, { sequence: 2, price: price(8) })
    partition.beat(12 * minute)
    const fives = partition.candles.filter(({ interval }) => interval === '5m')
    expect(fives).toMatchObject([
      { open: price(5), tradeCount: 1, quality: 'partial' },
      { open: price(8), low: price(8), tradeCount: 1, quality: 'complete' },
    ])
  })

  test('flat minutes end with the expiry, and begin again with a trade after it', () => {
    const partition = new FedPartition()
    partition.trade(0, { sequence: 1 })
    partition.apply(instrumentStatus('expired', epoch + minute + 1))
    expect(partition.beat(5 * minute)).toStrictEqual([
      'BTC 1s 0 partial',
      'BTC 1m 0 partial',
      'BTC 1m 60 quiet',
    ])
    partition.trade(6 * minute, { sequence: 2 })
    expect(partition.beat(9 * minute)).toStrictEqual([
      'BTC 1s 360 complete',
      'BTC 1m 360 complete',
      'BTC 1m 420 quiet',
    ])
  })

  test('flat minutes that have ended do not come back without a trade', () => {
    const partition = new FedPartition()
    partition.trade(0, { sequence: 1 })
    partition.apply(instrumentStatus('expired', epoch + 1))
    partition.beat(5 * minute)
    partition.apply(instrumentStatus('listed', epoch + 5 * minute))
    expect(partition.beat(9 * minute)).toStrictEqual([])
  })

  test('flat minutes end after the quiet span', () => {
    const partition = new FedPartition({ quietSpanMs: 2 * minute })
    partition.trade(500, { sequence: 1 })
    expect(partition.beat(1_000 * minute)).toStrictEqual([
      'BTC 1s 0 partial',
      'BTC 1m 0 partial',
      'BTC 1m 60 quiet',
      'BTC 1m 120 quiet',
    ])
  })
})

describe('gaps', () => {
  test('an open gap marks the windows that it touches, closed ones by a revision', () => {
    const partition = new FedPartition()
    for (const at of [0, 1_000, 2_000, 3_000]) partition.trade(at, { sequence: at / 1_000 + 1 })
    partition.beat(2_000)
    partition.apply(sequenceGap({ fromTime: epoch, toTime: epoch + 2_000 }))
    expect(partition.beat(minute + 1_000)).toStrictEqual([
      'BTC 1s 0 gap r1',
      'BTC 1s 1 gap',
      'BTC 1s 2 complete',
      'BTC 1s 3 complete',
      'BTC 1m 0 gap',
    ])
  })

  test('a gap that is filled before its windows close leaves them backfilled', () => {
    const partition = new FedPartition()
    partition.trade(0, { sequence: 1 })
    partition.trade(1_000, { sequence: 2 })
    partition.apply(sequenceGap({ fromTime: epoch + 1_000, toTime: epoch + 1_500 }))
    const filled = { fromTime: epoch + 1_000, toTime: epoch + 1_500, state: 'backfilled' as const }
    partition.apply(sequenceGap(filled))
    expect(partition.beat(3_000)).toStrictEqual(['BTC 1s 0 partial', 'BTC 1s 1 backfilled'])
  })

  test('a gap of one instrument, or of another feed, marks no other', () => {
    const partition = new FedPartition()
    partition.apply(sequenceGap({ gapId: 'a', instrumentId: 'deribit:ETH' }))
    partition.apply(sequenceGap({ gapId: 'b', feedId: 'binance' }))
    partition.trade(0, { sequence: 1 })
    expect(partition.beat(2_000)).toStrictEqual(['BTC 1s 0 partial'])
  })

  test('a gap marks quiet minutes, and is forgotten with the last window that it touches', () => {
    const partition = new FedPartition()
    partition.trade(0, { sequence: 1 })
    const range = { fromTime: epoch + minute, toTime: epoch + minute + 1 }
    partition.apply(sequenceGap({ ...range, state: 'unrecoverable' }))
    expect(partition.beat(minute + 1_000).at(-1)).toBe('BTC 1m 0 partial')
    expect(partition.aggregation.takeChanges(9).partition.gaps).toHaveLength(1)
    expect(partition.beat(2 * minute + 1_000)).toStrictEqual(['BTC 1m 60 gap'])
    expect(partition.aggregation.takeChanges(9).partition.gaps).toHaveLength(1)
    partition.beat(3 * minute + 1_000)
    expect(partition.aggregation.takeChanges(9).partition.gaps).toStrictEqual([])
  })
})
