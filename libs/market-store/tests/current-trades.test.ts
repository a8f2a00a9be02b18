import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import type { Trade } from '@tickertape/market-model'
import { testDatabase } from '@tickertape/testing'
import type { TestDatabase } from '@tickertape/testing'

import {
  Database,
  bulkInsert,
  ensureTradePartitions,
  migrate,
  tradeDay,
  tradeRow,
  trades,
} from '../src/index.ts'
import { plainTrade } from './plain-trade.ts'

const dayMs = 86_400_000
const monday = Date.UTC(2026, 0, 5)

let created: TestDatabase
let database: Database

beforeAll(async () => {
  created = await testDatabase()
  await migrate(created.url)
  database = new Database(created.url, { applicationName: 'test' })
  await ensureTradePartitions(
    database,
    [0, 1, 2].map((day) => tradeDay(monday) + day),
  )
})

afterAll(async () => {
  await database[Symbol.asyncDispose]()
  await created[Symbol.asyncDispose]()
})

const insert = bulkInsert(trades)

/** Stores a log, each trade at the offset of its place, and forgets what was stored before. */
async function store(log: readonly Trade[]): Promise<void> {
  await database.query('truncate trades')
  await database.query(
    insert.with(log.map((trade, offset) => tradeRow(trade, { partition: 0, offset }))),
  )
}

async function currentOffsets(condition = 'true'): Promise<readonly number[]> {
  const { rows } = await database.query<{ source_offset: string }>(
    `select source_offset from current_trades where ${condition} order by source_offset`,
  )
  return rows.map(({ source_offset }) => Number(source_offset))
}

const trade = fc
  .record({
    instrument: fc.constantFrom('BTC', 'ETH'),
    tradeId: fc.constantFrom('1', '2', '3'),
    version: fc.integer({ min: 0, max: 2 }),
    status: fc.constantFrom('confirmed' as const, 'cancelled' as const),
    eventTime: fc.constantFrom(0, 1, dayMs, 2 * dayMs).map((time) => monday + time),
  })
  .map(({ tradeId, ...changes }) => plainTrade(tradeId, changes))

describe('current_trades', () => {
  it('has of each trade the highest version, and of equal ones the first record', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(trade, { minLength: 1, maxLength: 30 }), async (log) => {
        await store(log)
        const standing = new Map<string, { version: number; offset: number }>()
        for (const [offset, { instrument, tradeId, version }] of log.entries()) {
          const key = `${instrument} ${tradeId}`
          const known = standing.get(key)
          if (known === undefined || version > known.version) standing.set(key, { version, offset })
        }
        const expected = [...standing.values()].map(({ offset }) => offset)
        expect(await currentOffsets()).toEqual(expected.toSorted((a, b) => a - b))
      }),
      { numRuns: 100 },
    )
  })

  it('tells which trades have matured', async () => {
    await store([
      plainTrade('never'),
      plainTrade('past', { maturesAt: monday }),
      plainTrade('coming', { maturesAt: Date.UTC(9999, 0, 1) }),
    ])
    const { rows } = await database.query(
      'select trade_id, expired from current_trades order by source_offset',
    )
    expect(rows).toEqual([
      { trade_id: 'never', expired: false },
      { trade_id: 'past', expired: true },
      { trade_id: 'coming', expired: false },
    ])
  })

  it('asked for a time, reads the trades of its partition alone', async () => {
    await store([plainTrade('1'), plainTrade('2', { eventTime: monday + dayMs })])
    const { rows } = await database.query<{ 'QUERY PLAN': string }>(
      `explain select * from current_trades
        where instrument_id = 'deribit:BTC-PERPETUAL' and event_time >= '2026-01-06 00:00+00'
          and event_time < '2026-01-07 00:00+00'`,
    )
    const scanned = rows.flatMap((row) => /on (trades_\d+) trade\b/.exec(row['QUERY PLAN'])?.[1])
    expect(new Set(scanned.filter((name) => name !== undefined))).toEqual(
      new Set(['trades_20260106']),
    )
    expect(await currentOffsets(`event_time >= '2026-01-06 00:00+00'`)).toEqual([1])
  })
})
