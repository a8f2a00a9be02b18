import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import {
  ensureTradePartitions,
  dropTradePartitionsBefore,
  tradeDay,
} from '@tickertape/market-store'

import { plain } from './plain-market.ts'
import { base, createStoredMarket, heartbeat, instrumentStatus, trade } from './stored-market.ts'
import type { StoredMarket } from './stored-market.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
const instrument = 'BTC-PERPETUAL'

let market: StoredMarket

beforeAll(async () => {
  market = await createStoredMarket()
})

afterAll(() => market[Symbol.asyncDispose]())

describe('verify agrees with the aggregation on inverse contracts', () => {
  it('whose volume is in quote', async () => {
    await market.store([instrumentStatus(instrument), ...plain])
    const report = await market.compare()
    expect(report).toMatchObject({ differences: 0, trades: 61 })
    const { rows } = await market.database.query(
      `select open, volume, quote_volume, vwap from candles where interval = '1s' order by window_start limit 1`,
    )
    // 0.002 / 5094 + 0.003 / 5088.3, each to 18 decimals; and 0.005 divided by that.
    expect(rows).toEqual([
      {
        open: '5094',
        volume: '0.005',
        quote_volume: '0.00000098220664525',
        vwap: '5090.57846857404979464',
      },
    ])
  })

  it('also if a later record does not tell what they are', async () => {
    const untold = { base: null, quote: null, kind: null, quantityUnit: null } as const
    const again = instrumentStatus(instrument, { ...untold, eventTime: base + 1 })
    await market.store([instrumentStatus(instrument), again, ...plain])
    expect(await market.compare()).toMatchObject({ differences: 0 })
  })

  it('and not on one whose quantities are in base', async () => {
    await market.store([instrumentStatus(instrument), ...plain])
    await market.database.query(`update instruments set quantity_unit = 'base'`)
    const report = await market.compare()
    expect(report.firstDifferences[0]?.columns.map(({ column }) => column)).toEqual([
      'quote_volume',
      'vwap',
    ])
  })
})

describe('verify agrees with the aggregation where an instrument expired', () => {
  const trades = [instrumentStatus(instrument), trade(1, 500), trade(2, 59_000)]

  it('before its quiet minutes closed', async () => {
    const expired = instrumentStatus(instrument, { status: 'expired', eventTime: base + 150_000 })
    await market.store([...trades, expired, heartbeat(hourMs)])
    const report = await market.compare()
    // The minute of the expiry itself is the last one.
    expect(report).toMatchObject({ differences: 0, candles: { '1m': 3 } })
  })

  it('in minutes that had closed when it was told', async () => {
    const expired = instrumentStatus(instrument, { status: 'expired', eventTime: base + 150_000 })
    await market.store([...trades, heartbeat(400_000), expired, heartbeat(hourMs)])
    const report = await market.compare()
    expect(report).toMatchObject({ differences: 0 })
    expect(report.candles['1m']).toBeGreaterThan(3)
  })
})

describe('verify leaves out what is past the retention of trades', () => {
  it('and flat windows that follow it, and judges everything behind', async () => {
    const secondDay = dayMs + 5 * minuteMs
    await market.store([
      trade(1, 500),
      trade(2, 10_000),
      trade(3, dayMs - 30_000),
      trade(4, secondDay + 500),
      trade(5, secondDay + 90_000),
      heartbeat(secondDay + 3 * hourMs),
    ])
    expect(await market.compare()).toMatchObject({ differences: 0 })
    await ensureTradePartitions(market.database, [tradeDay(base)])
    expect(await dropTradePartitionsBefore(market.database, tradeDay(base) + 1)).toContain(
      'trades_20260105',
    )
    expect(await market.compare()).toMatchObject({ differences: 0, trades: 2 })
    await market.database.query(
      `update candles set close = close + 1 where interval = '1m' and trade_count = 0
        and window_start >= $$2026-01-06 00:06+00$$`,
    )
    expect((await market.compare()).differences).toBeGreaterThan(60)
  })

  it('of an instrument without trades since, everything', async () => {
    await market.store([trade(1, 500), heartbeat(dayMs + 5 * minuteMs)])
    await dropTradePartitionsBefore(market.database, tradeDay(base) + 1)
    expect(await market.compare()).toMatchObject({ differences: 0, trades: 0 })
  })
})
