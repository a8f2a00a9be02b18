import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import type { MarketEvent } from '@tickertape/market-model'
import { bulkUpsert, candleRow, candles } from '@tickertape/market-store'

import { gap, plain } from './plain-market.ts'
import { base, createStoredMarket, heartbeat, trade } from './stored-market.ts'
import type { StoredMarket } from './stored-market.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

let market: StoredMarket

beforeAll(async () => {
  market = await createStoredMarket()
})

afterAll(() => market[Symbol.asyncDispose]())

const filled = [trade(62, 21_500), trade(63, 21_600)]
const wholeFeed = { instrumentId: null, fromSequence: null, toSequence: null } as const

describe('verify counts', () => {
  it('windows of every interval, or of those that the aggregator makes', async () => {
    await market.store([trade(1, 500), heartbeat(24 * hourMs + 1_000)])
    const all = await market.compare()
    expect(all).toMatchObject({
      differences: 0,
      candles: { '1s': 1, '1m': 1_440, '5m': 288, '15m': 96, '1h': 24, '4h': 6, '1d': 1 },
    })
    const few = await market.compare({ intervals: ['1s', '1m', '5m'] })
    expect(few.candles).toEqual({ ...all.candles, '15m': 0, '1h': 0, '4h': 0, '1d': 0 })
    await market.database.query(`delete from candles where interval = '1d'`)
    expect(await market.compare()).toMatchObject({
      differences: 1,
      firstDifferences: [{ kind: 'missing', interval: '1d' }],
    })
    expect((await market.compare({ intervals: ['1s', '1m', '5m'] })).differences).toBe(0)
  })

  it('late trades, but not those that were turned away', async () => {
    const { outcomes } = await market.store([
      trade(1, 500),
      heartbeat(61_000),
      trade(2, 700),
      heartbeat(2 * hourMs),
      trade(3, 800),
      heartbeat(2 * hourMs + 1_000),
    ])
    expect([outcomes[2], outcomes[4]]).toEqual(['revised', 'late'])
    expect((await market.compare()).differences).toBe(0)
    const { rows } = await market.database.query(
      `select trade_count, revision from candles where interval = '1s'`,
    )
    expect(rows).toEqual([{ trade_count: '2', revision: 1 }])
    await market.database.query('truncate rejected')
    expect((await market.compare()).differences).toBeGreaterThan(0)
  })

  it('what was put back after it was turned away, unless it was turned away again', async () => {
    await market.store([trade(1, 500), heartbeat(2 * hourMs), trade(2, 300), heartbeat(3 * hourMs)])
    const { database } = market
    await database.query(`update rejected set value = 'bytes', redriven_at = now()`)
    expect((await market.compare()).differences).toBeGreaterThan(0)
    await database.query(
      `insert into rejected (topic, partition, "offset", stage, reason, message, source_topic, source_partition,
          source_offset, value, rejected_at)
        select topic, partition, "offset" + 1, stage, reason, message, source_topic, source_partition,
          source_offset + 1000, value, rejected_at from rejected`,
    )
    expect((await market.compare()).differences).toBe(0)
  })

  it('a late trade in windows that were rebuilt since', async () => {
    const inTime = await market.store([trade(2, 300), trade(1, 500), heartbeat(2 * hourMs)])
    const { outcomes } = await market.store([
      trade(1, 500),
      heartbeat(2 * hourMs),
      trade(2, 300),
      // Where the Rebuild would stand.
      heartbeat(2 * hourMs),
      trade(3, 200),
      heartbeat(2 * hourMs + 1_000),
    ])
    expect([outcomes[2], outcomes[4]]).toEqual(['late', 'late'])
    const rebuild = (rebuildId: number, intervals: readonly string[]) => {
      const rows = inTime.candles
        .filter(({ interval, windowStart }) => {
          return windowStart === base && intervals.includes(interval)
        })
        .map((candle) => candleRow({ ...candle, rebuildId }))
      return market.database.query(bulkUpsert(candles).with(rows))
    }
    const differences = async () => (await market.compare()).differences

    expect(await differences()).toBe(0)
    // A rebuild that the late trade came behind.
    await rebuild(2, ['1s'])
    expect(await differences()).toBe(1)
    // Longer windows than those that were rebuilt are as they were, and are not judged.
    await rebuild(3, ['1s'])
    expect(await differences()).toBe(0)
    await rebuild(3, ['1s', '1m'])
    expect(await differences()).toBe(0)
    await market.database.query('update candles set low = 1 where trade_count > 0')
    expect(await differences()).toBe(2)
  })

  it('nothing of a window whose trades were taken back, at the close before', async () => {
    const cancelled = { version: 1, status: 'cancelled' } as const
    await market.store([
      trade(1, 500),
      trade(2, 90_500),
      heartbeat(200_000),
      trade(2, 90_500, cancelled),
      heartbeat(201_000),
    ])
    const { rows } = await market.database.query(
      `select trade_count, close, quality from candles
        where interval = '1s' and window_start = $$2026-01-05T00:01:30Z$$`,
    )
    expect(rows).toEqual([{ trade_count: '0', close: '5094', quality: 'quiet' }])
    expect(await market.compare()).toMatchObject({ differences: 0, candles: { '1s': 2, '1m': 3 } })
    await market.database.query(
      `update candles set close = 1 where trade_count = 0 and interval = '1s'`,
    )
    expect((await market.compare()).differences).toBe(1)
    await market.database.query(`delete from trades where trade_id = 't2'`)
    expect(await market.compare()).toMatchObject({
      differences: 1,
      firstDifferences: [{ kind: 'extra', interval: '1s' }],
    })
  })

  it('minutes that a trade made flat before it was taken back as all there was, at their own price', async () => {
    const first = trade(1, 500)
    await market.store([
      first,
      heartbeat(200_000),
      trade(1, 500, { version: 1, status: 'cancelled' }),
      heartbeat(201_000),
    ])
    expect(await market.compare()).toMatchObject({ differences: 0, candles: { '1s': 1, '1m': 3 } })
    await market.database.query(`update candles set high = 1 where interval = '1m'`)
    expect((await market.compare()).differences).toBe(3)
  })
})

describe('verify agrees with the aggregation', () => {
  it('on open and close among a thousand trades of one second, in any order of arrival', async () => {
    const trades = Array.from({ length: 1_000 }, (_, number) =>
      trade(number + 1, (number * 7919) % 1_000),
    )
    await market.store([...trades, heartbeat(61_000)])
    const report = await market.compare()
    expect(report).toMatchObject({ trades: 1_000, candles: { '1s': 1, '1m': 1 }, differences: 0 })
  })

  it('on open and close among trades of one millisecond', async () => {
    const id = fc.constantFrom('a', 'B', 'é', '\u{1F600}', '\uFFFD', '10', '9', 'a ', 'ab')
    const tied = fc.uniqueArray(
      fc.record({
        tradeId: id,
        sequence: fc.constantFrom(null, null, 1, 2, 3),
        venueOrder: fc.constantFrom(null, 1, 2),
        mantissa: fc.integer({ min: 1, max: 1_000_000 }),
      }),
      { selector: ({ tradeId }) => tradeId, minLength: 2 },
    )
    await fc.assert(
      fc.asyncProperty(tied, async (list) => {
        const sequences = new Set<number>()
        const trades = list.flatMap(({ mantissa, sequence, ...changes }, number) => {
          // A sequence that comes twice is a duplicate, whatever its id.
          if (sequence !== null && sequences.has(sequence)) return []
          if (sequence !== null) sequences.add(sequence)
          return [trade(number, 0, { ...changes, sequence, price: { mantissa, exponent: 0 } })]
        })
        await market.store([...trades, heartbeat(61_000)])
        expect((await market.compare()).differences).toBe(0)
      }),
      { numRuns: 60 },
    )
  })

  it.each([
    ['ends where the window begins', 21_500, 22_000, 'complete'],
    ['ends just inside the window', 21_500, 22_001, 'gap'],
    ['begins just inside the window', 22_999, 23_500, 'gap'],
    ['begins where the window ends', 23_000, 23_500, 'complete'],
  ])('on the quality of a window when a gap %s', async (_, fromMs, toMs, quality) => {
    const gap = {
      gapId: 'gap',
      feedId: 'deribit',
      replicaId: 'a',
      instrumentId: null,
      fromTime: base + fromMs,
      toTime: base + toMs,
      fromSequence: null,
      toSequence: null,
      state: 'unrecoverable',
    } as const
    await market.store([{ type: 'SequenceGap', value: gap }, ...plain])
    const { rows } = await market.database.query(
      `select quality from candles where interval = '1s' and window_start = $$2026-01-05T00:00:22Z$$`,
    )
    expect(rows).toEqual([{ quality }])
    expect((await market.compare()).differences).toBe(0)
  })

  it.each<readonly [string, string, readonly MarketEvent[]]>([
    ['is announced as filled', 'backfilled', [gap({ state: 'backfilled' })]],
    ['has one of its sequences', 'gap', filled.slice(0, 1)],
    ['has all of its sequences', 'backfilled', filled],
    [
      'has them and is given up all the same',
      'backfilled',
      [gap({ state: 'unrecoverable' }), ...filled],
    ],
    ['stands for the whole feed', 'gap', [gap({ ...wholeFeed, state: 'unrecoverable' })]],
    [
      'is filled for the whole feed and not for the instrument',
      'gap',
      [gap({ ...wholeFeed, state: 'backfilled' })],
    ],
    [
      'is filled for the instrument and not for the whole feed',
      'backfilled',
      [gap({ state: 'backfilled' }), gap(wholeFeed)],
    ],
    ['is another one that is filled', 'gap', [gap({ gapId: 'other', state: 'backfilled' })]],
  ])('on the quality of closed windows when their gap %s', async (_, quality, later) => {
    await market.store([...plain, gap({}), heartbeat(201_000), ...later, heartbeat(202_000)])
    const { rows } = await market.database.query(
      `select interval, quality from candles
        where interval = '1s' and window_start = $$2026-01-05T00:00:21Z$$`,
    )
    expect(rows).toEqual([{ interval: '1s', quality }])
    expect((await market.compare()).differences).toBe(0)
  })

  it('on where the flat candles of a market without trades end', async () => {
    const dayMs = 86_400_000
    await market.store([
      trade(1, 30_000),
      heartbeat(2 * dayMs),
      trade(2, 2 * dayMs + 500),
      heartbeat(3 * dayMs),
    ])
    const report = await market.compare()
    expect(report.differences).toBe(0)
    // The first minute, a day of flat ones, and the second trade's minute with the flat ones behind it.
    expect(report.candles['1m']).toBe(1 + 24 * 60 + (24 * 60 - 1))
  })
})
