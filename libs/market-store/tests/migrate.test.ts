import { getTableColumns, getTableName } from 'drizzle-orm'
import { getViewConfig } from 'drizzle-orm/pg-core'
import type { PgColumn } from 'drizzle-orm/pg-core'
import { describe, expect, it } from 'vitest'

import { testDatabase } from '@tickertape/testing'

import {
  Database,
  bulkInsert,
  candles,
  currentTrades,
  dropTradePartitionsBefore,
  ensureTradePartitions,
  feedWatermarks,
  instruments,
  migrate,
  missingMigrations,
  rejected,
  sequenceGaps,
  sinkOffsets,
  tradeDay,
  tradeRetention,
  tradeRow,
  trades,
} from '../src/index.ts'
import { migrations } from '../src/migrations.generated.ts'
import { plainTrade } from './plain-trade.ts'

const day = Date.UTC(2026, 0, 5)

interface DescribedColumn {
  readonly name: string
  readonly type: string
  readonly notNull: boolean
}

async function storedColumns(
  database: Database,
  table: string,
): Promise<readonly DescribedColumn[]> {
  const { rows } = await database.query<DescribedColumn>({
    text: `select attname as name, format_type(atttypid, atttypmod) as type, attnotnull as "notNull"
      from pg_attribute where attrelid = $1::regclass and attnum > 0 order by attnum`,
    values: [table],
  })
  return rows
}

function describedColumns(columns: Readonly<Record<string, PgColumn>>): readonly DescribedColumn[] {
  return Object.values(columns).map((column) => ({
    name: column.name,
    type: column.getSQLType().replace('timestamp (3)', 'timestamp(3)'),
    notNull: column.notNull,
  }))
}

const first = { number: 0, name: '0000_first', sql: 'create table first (id integer)' }
const second = { number: 1, name: '0001_second', sql: 'create table second (id integer)' }

describe('migrate', () => {
  it('makes the tables that the schema describes', async () => {
    await using created = await testDatabase()
    await migrate(created.url)
    await using database = new Database(created.url, { applicationName: 'test' })
    for (const table of [
      trades,
      candles,
      rejected,
      sequenceGaps,
      instruments,
      feedWatermarks,
      sinkOffsets,
      tradeRetention,
    ]) {
      expect(await storedColumns(database, getTableName(table))).toEqual(
        describedColumns(getTableColumns(table)),
      )
    }
    // All that is selected are columns.
    const fields = getViewConfig(currentTrades).selectedFields as Record<string, PgColumn>
    // Columns of a view may be null, as far as PostgreSQL knows.
    expect(await storedColumns(database, 'current_trades')).toEqual(
      describedColumns(fields).map((column) => ({ ...column, notNull: false })),
    )
  })

  it('schemas of one database are apart, and may be migrated at once', async () => {
    await using created = await testDatabase()
    const schemas = ['public', 'market', 'with "quotes", spaces and \\']
    const names = migrations.map(({ name }) => name)
    const applied = await Promise.all(
      [...schemas, ...schemas].map((schema) => migrate(created.url, { schema })),
    )
    expect(applied.filter((list) => list.length > 0)).toEqual(schemas.map(() => names))
    for (const schema of schemas) {
      await using database = new Database(created.url, { applicationName: 'test', schema })
      const names = await ensureTradePartitions(database, [tradeDay(day), tradeDay(day) + 1])
      const row = tradeRow(plainTrade(schema), { partition: 0, offset: 0 })
      await database.query(bulkInsert(trades).with([row]))
      const { rows } = await database.query('select trade_id from trades')
      expect(rows).toEqual([{ trade_id: schema }])
      expect(await dropTradePartitionsBefore(database, tradeDay(day) + 1)).toEqual([names[0]])
    }
  })

  it('a schema of the URL’s options gives way to the one asked for, other options stay', async () => {
    await using created = await testDatabase()
    const url = `${created.url}?options=${encodeURIComponent('-c statement_timeout=1234 -c search_path=other')}`
    await using database = new Database(url, { applicationName: 'test' })
    const { rows } = await database.query(
      `select current_setting('search_path') as path, current_setting('statement_timeout') as timeout`,
    )
    expect(rows).toEqual([{ path: '"public"', timeout: '1234ms' }])
  })

  it('trades of a database from before the partitions are carried over, each into its day', async () => {
    await using created = await testDatabase()
    await migrate(created.url, { migrations: migrations.slice(0, 2) })
    await using database = new Database(created.url, { applicationName: 'test' })
    const list = [day - 1, day, day + 86_399_999, day + 86_400_000].map((eventTime, at) =>
      tradeRow({ ...plainTrade(`${at}`), eventTime }, { partition: 1, offset: at }),
    )
    await database.query(bulkInsert(trades).with(list))
    const select = 'select * from trades order by trade_id'
    const before = await database.query(select)
    // The sessions of other services may be in zones of their own.
    await database.query(
      `alter database "${new URL(created.url).pathname.slice(1)}" set timezone = 'Asia/Tokyo'`,
    )
    expect(await migrate(created.url)).toContain('0002_partitioned_trades')
    expect(await database.query(select)).toEqual(before)
    const { rows } = await database.query(
      'select tableoid::regclass::text as day from trades order by trade_id',
    )
    expect(rows.map((row) => (row as { day: string }).day)).toEqual([
      'trades_20260104',
      'trades_20260105',
      'trades_20260105',
      'trades_20260106',
    ])
  })

  it('services that start together apply each migration once', async () => {
    await using created = await testDatabase()
    const applied = await Promise.all(
      [1, 2, 3, 4].map(() => migrate(created.url, { migrations: [first, second] })),
    )
    expect(applied.flat()).toEqual(['0000_first', '0001_second'])
  })

  it('applies only what is missing', async () => {
    await using created = await testDatabase()
    await migrate(created.url, { migrations: [first] })
    expect(await migrate(created.url, { migrations: [first, second] })).toEqual(['0001_second'])
    expect(await migrate(created.url, { migrations: [first, second] })).toEqual([])
  })

  it('a migration that fails leaves the database as it was', async () => {
    await using created = await testDatabase()
    const broken = { number: 1, name: '0001_broken', sql: 'create table third (); select 1 / 0' }
    await expect(migrate(created.url, { migrations: [first, broken] })).rejects.toThrow(
      'division by zero',
    )
    expect(await migrate(created.url, { migrations: [first] })).toEqual(['0000_first'])
  })

  it('refuses a database that is newer than the code, and names both versions', async () => {
    await using created = await testDatabase()
    await migrate(created.url, { migrations: [first, second] })
    await expect(migrate(created.url, { migrations: [first] })).rejects.toMatchObject({
      code: 'database_newer',
      message: expect.stringContaining('0001_second, which this version does not know'),
    })
  })

  it('refuses a database whose migration was another', async () => {
    await using created = await testDatabase()
    await migrate(created.url, { migrations: [first] })
    const edited = { ...first, sql: 'create table first (id bigint)' }
    await expect(migrate(created.url, { migrations: [edited, second] })).rejects.toMatchObject({
      code: 'migration_changed',
    })
  })
})

it('what a database lacks is told to who does not migrate it', async () => {
  await using created = await testDatabase()
  await using database = new Database(created.url, { applicationName: 'test' })
  expect(await missingMigrations(database, [first, second])).toEqual(['0000_first', '0001_second'])
  await migrate(created.url, { migrations: [first] })
  expect(await missingMigrations(database, [first, second])).toEqual(['0001_second'])
  await migrate(created.url, { migrations: [first, second] })
  expect(await missingMigrations(database, [first, second])).toEqual([])
  await expect(missingMigrations(database, [first])).rejects.toMatchObject({
    code: 'database_newer',
  })
})
