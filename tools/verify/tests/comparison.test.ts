import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { intervals } from '@tickertape/market-model'
import type { Candle, MarketEvent, SequenceGap } from '@tickertape/market-model'
import { bulkUpsert, candleRow, candles } from '@tickertape/market-store'

import { anyMarket } from './any-market.ts'
import { base, createStoredMarket, heartbeat, trade } from './stored-market.ts'
import type { StoredMarket } from './stored-market.ts'

let market: StoredMarket

beforeAll(async () => {
  market = await createStoredMarket()
})

afterAll(() => market[Symbol.asyncDispose]())

/** Windows by interval. */
function counted(made: readonly Candle[]): Record<string, number> {
  const windows = new Set(
    made.map(({ interval, instrumentId, windowStart }) =>
      [interval, windowStart, instrumentId].join(' '),
    ),
  )
  const counts = intervals.map((interval) => {
    return [interval, [...windows].filter((key) => key.startsWith(`${interval} `)).length] as const
  })
  return Object.fromEntries(counts)
}

/** Half a minute of trades, a quiet minute, a trade, and a watermark behind it all. */
const plain: readonly MarketEvent[] = [
  ...Array.from({ length: 60 }, (_, number) => trade(number + 1, 20_000 + number * 500)),
  heartbeat(110_000),
  trade(61, 130_500),
  heartbeat(200_000),
]

describe('two computations', () => {
  it('agree on every candle of any market', async () => {
    await fc.assert(
      fc.asyncProperty(anyMarket, async (events) => {
        const result = await market.store(events)
        const report = await market.compare()
        expect(report).toEqual({
          trades: report.trades,
          candles: counted(result.candles),
          differences: 0,
          firstDifferences: [],
          undecided: 0,
        })
      }),
      { numRuns: 60 },
    )
  })
})

describe('verify on a running system', () => {
  it('finds nothing, whatever the candles are ahead of what it began with', async () => {
    const running = anyMarket.chain((events) =>
      fc.record({ events: fc.constant(events), seen: fc.nat(events.length) }),
    )
    await fc.assert(
      fc.asyncProperty(running, async ({ events, seen }) => {
        const report = await market.compareWhileRunning(events, seen)
        expect(report.firstDifferences).toEqual([])
      }),
      { numRuns: 60 },
    )
  })
})

describe('verify finds', () => {
  const tampered: readonly (readonly [string, string])[] = [
    ['window_end', `window_end - interval '1 millisecond'`],
    ['open', 'open + 0.000000000000000001'],
    ['high', 'high + 1'],
    ['low', 'low - 1'],
    ['close', 'close * 1.0000001'],
    ['volume', 'volume + 0.000000000000000000000001'],
    ['buy_volume', '0'],
    ['quote_volume', 'quote_volume * 2'],
    ['notional_usd', 'null'],
    ['vwap', 'vwap + 0.000000000000000001'],
    ['trade_count', 'trade_count + 1'],
    ['first_sequence', 'null'],
    ['last_sequence', 'last_sequence + 1'],
    ['quality', `'gap'`],
    ['final', 'false'],
  ]

  it.each(tampered)('a candle whose %s is another', async (column, value) => {
    await market.store(plain)
    await market.database.query(
      `update candles set ${column} = ${value} where interval = '1s' and window_start = $$2026-01-05T00:00:21Z$$`,
    )
    const report = await market.compare()
    expect(report.differences).toBe(1)
    expect(report.firstDifferences).toMatchObject([
      {
        kind: 'different',
        instrumentId: 'deribit:BTC-PERPETUAL',
        interval: '1s',
        windowStart: new Date(base + 21_000),
        columns: [{ column }],
      },
    ])
  })

  it('a flat candle that is missing', async () => {
    await market.store(plain)
    const removed = await market.database.query(
      `delete from candles where interval = '1m' and quality = 'quiet'`,
    )
    expect(removed.count).toBe(1)
    const report = await market.compare()
    expect(report).toMatchObject({
      differences: 1,
      firstDifferences: [{ kind: 'missing', interval: '1m', windowStart: new Date(base + 60_000) }],
    })
  })

  it.each([
    [
      'an extra candle of a known instrument',
      'instrument_id',
      `window_start - interval '7 seconds'`,
    ],
    ['an extra candle of an instrument without trades', `'deribit:NONE'`, 'window_start'],
  ])('%s', async (_, instrumentId, windowStart) => {
    await market.store(plain)
    await market.database.query(
      `insert into candles (instrument_id, interval, window_start, window_end, open, high, low, close,
          volume, buy_volume, quote_volume, trade_count, indicators, quality, revision, final)
        select ${instrumentId}, interval, ${windowStart}, ${windowStart} + interval '1 second', open,
          high, low, close, volume, buy_volume, quote_volume, trade_count, indicators, quality,
          revision, final
        from candles where interval = '1s' and window_start = $$2026-01-05T00:00:21Z$$`,
    )
    const report = await market.compare()
    expect(report).toMatchObject({ differences: 1, firstDifferences: [{ kind: 'extra' }] })
  })

  it('a trade that no candle has', async () => {
    await market.store(plain)
    await market.database.query(`delete from trades where trade_id = 't3'`)
    const report = await market.compare()
    expect(report.firstDifferences.map(({ interval, kind }) => [interval, kind])).toEqual([
      ['1s', 'different'],
      ['1m', 'different'],
    ])
  })
})

describe('verify leaves out', () => {
  it('windows that have not closed, to the millisecond', async () => {
    const open = trade(1, 500)
    await market.store([open, heartbeat(1_999)])
    expect((await market.compare()).candles['1s']).toBe(0)
    await market.store([open, heartbeat(2_000)])
    expect((await market.compare()).candles['1s']).toBe(1)
  })

  it('trades behind the latest heartbeat of their feed: no candle has them yet', async () => {
    await market.store([...plain, trade(62, 21_500)])
    expect(await market.compare()).toMatchObject({ trades: 62, differences: 0, undecided: 0 })
    await market.database.query(
      'update feed_watermarks set heartbeat_offset = heartbeat_offset + 2',
    )
    const report = await market.compare()
    expect(report.firstDifferences.map(({ interval, kind }) => [interval, kind])).toEqual([
      ['1s', 'different'],
      ['1m', 'different'],
    ])
  })

  it('windows that records behind the snapshot touch, and no earlier ones', async () => {
    const late = trade(62, 30_500)
    const report = await market.compareWhileRunning(
      [...plain, late, heartbeat(201_000)],
      plain.length,
      `update candles set close = 1 where interval = '1s' and window_start < $$2026-01-05T00:00:25Z$$`,
    )
    expect(report).toMatchObject({ differences: 5, undecided: 2 })
  })

  it('windows from the first on that was rebuilt behind the snapshot', async () => {
    const rebuiltFrom = (rebuildId: number) =>
      market.compareWhileRunning(
        plain,
        plain.length,
        `update candles set low = 1, rebuild_id = ${rebuildId}
          where interval = '1s' and window_start >= $$2026-01-05T00:00:25Z$$`,
      )
    const heartbeatAt = plain.length - 1
    expect((await rebuiltFrom(heartbeatAt + 1)).differences).toBe(0)
    expect((await rebuiltFrom(heartbeatAt - 1)).differences).toBe(26)
  })

  it('what a higher version has replaced', async () => {
    const first = trade(7, 500)
    const versions = [2, 1].map((version) =>
      trade(7, 500, {
        version,
        status: version === 2 ? 'cancelled' : 'confirmed',
        price: { mantissa: version, exponent: 0 },
      }),
    )
    const { outcomes } = await market.store([trade(6, 200), first, ...versions, heartbeat(61_000)])
    expect(outcomes.slice(2, 4)).toEqual(['uncounted', 'superseded'])
    expect((await market.compare()).differences).toBe(0)
  })
})

const minuteMs = 60_000
const hourMs = 60 * minuteMs

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

  const missing: SequenceGap = {
    gapId: 'gap',
    feedId: 'deribit',
    replicaId: 'a',
    instrumentId: 'deribit:BTC-PERPETUAL',
    fromTime: base + 21_000,
    toTime: base + 22_000,
    fromSequence: 62,
    toSequence: 63,
    state: 'open',
  }
  const gap = (changes: Partial<SequenceGap>): MarketEvent => ({
    type: 'SequenceGap',
    value: { ...missing, ...changes },
  })
  const filled = [trade(62, 21_500), trade(63, 21_600)]
  const wholeFeed = { instrumentId: null, fromSequence: null, toSequence: null } as const

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
