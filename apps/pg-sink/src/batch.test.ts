import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { Candle, SequenceGap } from '@tickertape/market-model'

import { Batch, supersedes } from './batch.ts'

const zero = { mantissa: 0, exponent: 0 }

function candle(changes: Partial<Candle>): Candle {
  return {
    instrumentId: 'deribit:BTC-PERPETUAL',
    interval: '1s',
    windowStart: 0,
    windowEnd: 1_000,
    open: zero,
    high: zero,
    low: zero,
    close: zero,
    volume: zero,
    buyVolume: zero,
    quoteVolume: zero,
    notionalUsd: null,
    vwap: null,
    tradeCount: 0,
    indicators: {},
    quality: 'complete',
    revision: 0,
    final: true,
    firstSequence: null,
    lastSequence: null,
    rebuildId: null,
    ...changes,
  }
}

describe('a batch', () => {
  it('holds the standing candle of a window once, in whatever order its revisions come', () => {
    const revision = fc.record({
      revision: fc.nat(3),
      rebuildId: fc.option(fc.nat(2)),
      windowStart: fc.constantFrom(0, 1_000),
    })
    fc.assert(
      fc.property(fc.array(revision), (revisions) => {
        const batch = new Batch()
        for (const changes of revisions) batch.addCandle(candle(changes))
        const windows = new Set(revisions.map(({ windowStart }) => windowStart))
        expect(batch.candles).toHaveLength(windows.size)
        for (const stored of batch.candles) {
          const ofWindow = revisions
            .filter(({ windowStart }) => windowStart === stored.windowStart)
            .map(candle)
          const standing = candle({ revision: stored.revision, rebuildId: stored.rebuildId })
          expect(ofWindow.some((other) => supersedes(other, standing))).toBe(false)
        }
      }),
    )
  })

  it('knows the next offset of each partition that it has records of', () => {
    const batch = new Batch()
    const reach = (topic: string, partition: number, offset: number, bytes: number) =>
      batch.reached({ topic, partition, offset, value: Buffer.alloc(bytes) })
    reach('candles', 1, 7, 10)
    reach('rejected', 1, 0, 5)
    reach('candles', 1, 9, 10)
    reach('candles', 0, 3, 0)
    expect(batch.positions).toEqual([
      { topic: 'candles', partition: 1, offset: 10 },
      { topic: 'rejected', partition: 1, offset: 1 },
      { topic: 'candles', partition: 0, offset: 4 },
    ])
    expect([batch.records.length, batch.bytes]).toEqual([4, 25])
  })

  it('keeps the highest time of each feed and partition, and where its latest heartbeat stands', () => {
    const batch = new Batch()
    const beat = (feedId: string, upTo: number, partition: number, offset: number) =>
      batch.addHeartbeat(
        { feedId, replicaId: 'a', upTo, receivedAt: upTo },
        { topic: 'market-events', partition, offset },
      )
    beat('deribit', 2_000, 0, 10)
    beat('deribit', 1_000, 0, 11)
    beat('deribit', 500, 1, 3)
    beat('binance', 100, 0, 12)
    expect(batch.watermarks).toEqual([
      { feedId: 'deribit', partition: 0, upTo: '1970-01-01T00:00:02.000Z', heartbeatOffset: 11 },
      { feedId: 'deribit', partition: 1, upTo: '1970-01-01T00:00:00.500Z', heartbeatOffset: 3 },
      { feedId: 'binance', partition: 0, upTo: '1970-01-01T00:00:00.100Z', heartbeatOffset: 12 },
    ])
  })

  it('keeps the latest record of a gap for each instrument, the whole feed and partition', () => {
    const batch = new Batch()
    const announce = (
      instrumentId: string | null,
      partition: number,
      offset: number,
      state: SequenceGap['state'],
    ) =>
      batch.addGap(
        {
          gapId: 'gap',
          feedId: 'deribit',
          replicaId: 'a',
          instrumentId,
          fromTime: 0,
          toTime: 1,
          fromSequence: null,
          toSequence: null,
          state,
        },
        { topic: 'market-events', partition, offset },
      )
    announce(null, 0, 1, 'open')
    announce(null, 1, 1, 'open')
    announce('deribit:BTC', 0, 2, 'open')
    announce('deribit:BTC', 0, 3, 'backfilled')
    announce(null, 0, 4, 'unrecoverable')
    expect(
      batch.gaps.map((gap) => [gap.instrumentId, gap.sourcePartition, gap.sourceOffset, gap.state]),
    ).toEqual([
      [null, 0, 4, 'unrecoverable'],
      [null, 1, 1, 'open'],
      ['deribit:BTC', 0, 3, 'backfilled'],
    ])
  })
})

describe('supersedes', () => {
  it('a rebuild beats every revision without one, and a later rebuild beats an earlier', () => {
    const plain = candle({ revision: 9 })
    const rebuilt = candle({ revision: 0, rebuildId: 0 })
    const again = candle({ revision: 0, rebuildId: 4 })
    expect([
      supersedes(rebuilt, plain),
      supersedes(plain, rebuilt),
      supersedes(again, rebuilt),
    ]).toEqual([true, false, true])
  })

  it('an equal revision changes nothing', () => {
    expect(supersedes(candle({ revision: 1 }), candle({ revision: 1 }))).toBe(false)
  })
})
