import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import type { MarketEvent } from '@tickertape/market-model'

import { gap, plain } from './plain-market.ts'
import { base, createStoredMarket, heartbeat, trade } from './stored-market.ts'
import type { StoredMarket } from './stored-market.ts'

let market: StoredMarket

beforeAll(async () => {
  market = await createStoredMarket()
})

afterAll(() => market[Symbol.asyncDispose]())

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

function withoutSequence(event: MarketEvent): MarketEvent {
  return event.type === 'Trade'
    ? { type: 'Trade', value: { ...event.value, sequence: null } }
    : event
}

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

  const moved = { version: 1, eventTime: base + 135_000, receivedAt: base + 200_000 }

  it.each<readonly [string, readonly MarketEvent[], MarketEvent]>([
    ['that a correction takes a trade from', plain, trade(3, 0, moved)],
    [
      'that a correction takes a trade without a sequence from',
      plain.map((event) => withoutSequence(event)),
      withoutSequence(trade(3, 0, moved)),
    ],
    [
      'that a correction under another id takes a trade from',
      plain,
      trade(3, 0, { ...moved, tradeId: 'other' }),
    ],
    ['that a gap touches which is told of', plain, gap({})],
    [
      'that a gap touches which a later trade fills',
      [gap({ toSequence: 62 }), ...plain],
      trade(62, 135_000),
    ],
  ])('windows behind the snapshot %s', async (_, events, later) => {
    const report = await market.compareWhileRunning(
      [...events, later, heartbeat(201_000)],
      events.length,
    )
    expect(report.firstDifferences).toEqual([])
    expect(report.undecided).toBeGreaterThan(1)
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
