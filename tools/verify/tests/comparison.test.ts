import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import type { MarketEvent } from '@tickertape/market-model'

import { anyMarket } from './any-market.ts'
import { base, createStoredMarket, heartbeat, trade } from './stored-market.ts'
import type { StoredMarket } from './stored-market.ts'

let market: StoredMarket

beforeAll(async () => {
  market = await createStoredMarket()
})

afterAll(() => market[Symbol.asyncDispose]())

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
        const closed = await market.store(events)
        const report = await market.compare()
        expect(report).toEqual({
          trades: report.trades,
          candles: {
            '1s': closed.filter(({ interval }) => interval === '1s').length,
            '1m': closed.filter(({ interval }) => interval === '1m').length,
          },
          differences: 0,
          firstDifferences: [],
        })
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

  it('trades behind the snapshot', async () => {
    await market.store(plain)
    await market.database.query({
      text: `insert into trades select (jsonb_populate_record(trades,
          jsonb_build_object('trade_id', 'later', 'source_offset', $1::bigint))).*
        from trades where trade_id = 't3'`,
      values: [plain.length],
    })
    expect((await market.compare()).differences).toBe(0)
    await market.database.query('update sink_offsets set next_offset = next_offset + 1')
    expect((await market.compare()).differences).toBe(2)
  })

  it('trades that a higher version has corrected or cancelled', async () => {
    const kept = plain.filter((_, at) => at !== 2 && at !== 3)
    await market.store(kept)
    await market.database.query(
      `insert into trades select (jsonb_populate_record(trades, changes)).*
        from trades, (values
          ('{"trade_id": "corrected", "version": 0, "source_offset": 900000}'::jsonb),
          ('{"trade_id": "corrected", "version": 2, "status": "cancelled", "source_offset": 1}'),
          ('{"trade_id": "corrected", "version": 1, "source_offset": 2}')) as version (changes)
        where trade_id = 't7'`,
    )
    await market.database.query(`update trades set source_offset = 3 where source_offset = 900000`)
    expect((await market.compare()).differences).toBe(0)
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
