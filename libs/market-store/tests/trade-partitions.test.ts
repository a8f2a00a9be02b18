import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { testDatabase, waitUntil } from '@tickertape/testing'
import type { TestDatabase } from '@tickertape/testing'

import {
  Database,
  bulkInsert,
  dropTradePartitionsBefore,
  ensureTradePartitions,
  isMissingPartition,
  isPartitionable,
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
let other: Database

beforeEach(async () => {
  created = await testDatabase()
  await migrate(created.url)
  database = new Database(created.url, { applicationName: 'test' })
  other = new Database(created.url, { applicationName: 'other' })
})

afterEach(async () => {
  await database[Symbol.asyncDispose]()
  await other[Symbol.asyncDispose]()
  await created[Symbol.asyncDispose]()
})

const insert = bulkInsert(trades)

function inserting(...times: readonly number[]) {
  return insert.with(
    times.map((eventTime) =>
      tradeRow(plainTrade(String(eventTime), { eventTime }), { partition: 0, offset: eventTime }),
    ),
  )
}

async function partitions(): Promise<readonly string[]> {
  const { rows } = await database.query<{ name: string }>(
    `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'trades'::regclass
      order by name`,
  )
  return rows.map(({ name }) => name)
}

/** Resolves once the other connection waits for a lock. */
async function otherWaits(): Promise<void> {
  await waitUntil('the other to wait for a lock', async () => {
    const { count } = await database.query(
      `select from pg_stat_activity where application_name = 'other'
        and datname = current_database() and wait_event_type = 'Lock'`,
    )
    return count > 0
  })
}

function days(...numbers: readonly number[]): readonly number[] {
  return numbers.map((number) => tradeDay(monday) + number)
}

describe('partitions', () => {
  it('take the trades of one day in UTC, whatever the zone of the session', async () => {
    await database.query(`alter database "${new URL(created.url).pathname.slice(1)}"
      set timezone = 'America/New_York'`)
    await using inNewYork = new Database(created.url, { applicationName: 'test' })
    const made = await ensureTradePartitions(inNewYork, days(1, 0, 0))
    expect(made).toEqual(['trades_20260105', 'trades_20260106'])
    await inNewYork.query(inserting(monday, monday + dayMs - 1, monday + dayMs))
    const { rows } = await inNewYork.query(
      `select tableoid::regclass::text as partition, count(*)::integer as count from trades
        group by 1 order by 1`,
    )
    expect(rows).toEqual([
      { partition: 'trades_20260105', count: 2 },
      { partition: 'trades_20260106', count: 1 },
    ])
  })

  it('are made once, however many connections need them at the same time', async () => {
    await using third = new Database(created.url, { applicationName: 'third' })
    const made = await Promise.all(
      [database, other, third].map((each) => ensureTradePartitions(each, days(0, 1, 2))),
    )
    expect(made.flat()).toHaveLength(3)
    expect(await partitions()).toEqual(['trades_20260105', 'trades_20260106', 'trades_20260107'])
  })

  it('are made while others write and read, in a transaction that both writes and makes them', async () => {
    await ensureTradePartitions(database, days(0))
    await database.transaction(async (writing) => {
      await writing.query(inserting(monday))
      await writing.query('select count(*) from trades')
      await other.transaction(async (making) => {
        await making.query(inserting(monday + 1))
        await ensureTradePartitions(making, days(1))
        await making.query(inserting(monday + dayMs))
      })
      await writing.query(inserting(monday + 2))
    })
    await database.query(inserting(monday + dayMs + 1))
    expect((await database.query('select from trades')).count).toBe(5)
  })

  it('that a transaction made are gone if it fails, and another one makes them', async () => {
    let waiting: Promise<unknown> | undefined
    const failing = database.transaction(async (transaction) => {
      await ensureTradePartitions(transaction, days(0))
      waiting = ensureTradePartitions(other, days(0))
      await otherWaits()
      throw new Error('enough')
    })
    await expect(failing).rejects.toThrow('enough')
    expect(await waiting).toEqual(['trades_20260105'])
  })

  it('have the key and the index of the table', async () => {
    await ensureTradePartitions(database, days(0))
    const { rows } = await database.query(
      `select parent.relname as parent
        from pg_index join pg_inherits on inhrelid = indexrelid
          join pg_class as parent on parent.oid = inhparent
        where indrelid = 'trades_20260105'::regclass order by parent`,
    )
    expect(rows).toEqual([
      { parent: 'trades_instrument_id_event_time' },
      { parent: 'trades_instrument_id_trade_id_version_event_time_pk' },
    ])
  })

  it('are refused for times that no market has', async () => {
    expect(
      [Date.UTC(2009, 0, 1), Date.UTC(2100, 0, 1), Number.NaN].flatMap((time) => [
        isPartitionable(time - 1),
        isPartitionable(time),
      ]),
    ).toEqual([false, true, true, false, false, false])
    await expect(ensureTradePartitions(database, [tradeDay(Date.UTC(2100, 0, 1))])).rejects.toThrow(
      'outside of the years 2009 to 2099',
    )
  })

  it('a trade without one fails as such', async () => {
    const failure = await database.query(inserting(monday)).catch((error: unknown) => error)
    expect(isMissingPartition(failure)).toBe(true)
  })
})

describe('retention', () => {
  it('drops the days before, with their rows, and what others have put there stays', async () => {
    await ensureTradePartitions(database, days(0, 1, 2))
    await database.query(inserting(monday, monday + dayMs, monday + 2 * dayMs))
    await database.query('create table trades_20250101 (like trades)')
    await database.query('create table trades_archive (like trades)')
    expect(await dropTradePartitionsBefore(database, tradeDay(monday) + 2)).toEqual([
      'trades_20260105',
      'trades_20260106',
    ])
    expect(await partitions()).toEqual(['trades_20260107'])
    expect((await database.query('select kept_from from trade_retention')).rows).toEqual([
      { kept_from: new Date(monday + 2 * dayMs) },
    ])
    expect((await database.query('select from trades')).count).toBe(1)
    const { rows } = await database.query(
      `select relname from pg_class where relkind = 'r' and relname like 'trades\\_%' order by 1`,
    )
    expect(rows).toEqual([
      { relname: 'trades_20250101' },
      { relname: 'trades_20260107' },
      { relname: 'trades_archive' },
    ])
  })

  it('a day that was dropped can be made again, and trades count as whole from where they did', async () => {
    await ensureTradePartitions(database, days(0))
    await dropTradePartitionsBefore(database, tradeDay(monday) + 5)
    expect(await ensureTradePartitions(database, days(0))).toEqual(['trades_20260105'])
    await database.query(inserting(monday))
    await dropTradePartitionsBefore(database, tradeDay(monday) + 1)
    expect((await database.query('select kept_from from trade_retention')).rows).toEqual([
      { kept_from: new Date(monday + 5 * dayMs) },
    ])
  })

  it('waits for a reader and holds up nobody else, nor does a second process join in', async () => {
    await ensureTradePartitions(database, days(0, 1))
    await database.query(inserting(monday, monday + dayMs))
    const dropped = await database.transaction(async (reading) => {
      await reading.query('select from trades')
      const dropping = dropTradePartitionsBefore(other, tradeDay(monday) + 1)
      await otherWaits()
      await database.query(inserting(monday + dayMs + 1))
      expect(await dropTradePartitionsBefore(database, tradeDay(monday) + 1)).toEqual([])
      return { dropping }
    })
    expect(await dropped.dropping).toEqual(['trades_20260105'])
  })

  it.each([
    ['begun to detach', ''],
    ['detached', 'alter table trades detach partition trades_20260105 finalize'],
  ])('finishes for one that was killed when it had %s', async (_, further) => {
    await ensureTradePartitions(database, days(0, 1))
    await database.transaction(async (reading) => {
      await reading.query('select from trades')
      const killed = dropTradePartitionsBefore(other, tradeDay(monday) + 1).catch(() => undefined)
      await waitUntil('the end of its connection', async () => {
        const { count } = await database.query(
          `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'other'
            and datname = current_database() and wait_event_type = 'Lock'`,
        )
        return count > 0
      })
      await killed
    })
    if (further !== '') await database.query(further)
    const dropped = await waitUntil('the lock of the killed one', async () => {
      const names = await dropTradePartitionsBefore(database, tradeDay(monday) + 1)
      return names.length > 0 ? names : undefined
    })
    expect({ dropped, left: await partitions() }).toEqual({
      dropped: ['trades_20260105'],
      left: ['trades_20260106'],
    })
  })
})
