import { getTableColumns, getTableName } from 'drizzle-orm'
import { describe, expect, it } from 'vitest'

import { testDatabase } from '@tickertape/testing'

import {
  Database,
  candles,
  feedWatermarks,
  migrate,
  rejected,
  sequenceGaps,
  sinkOffsets,
  trades,
} from '../src/index.ts'

const first = { number: 0, name: '0000_first', sql: 'create table first (id integer)' }
const second = { number: 1, name: '0001_second', sql: 'create table second (id integer)' }

describe('migrate', () => {
  it('makes the tables that the schema describes', async () => {
    await using created = await testDatabase()
    await migrate(created.url)
    await using database = new Database(created.url, { applicationName: 'test' })
    for (const table of [trades, candles, rejected, sequenceGaps, feedWatermarks, sinkOffsets]) {
      const { rows } = await database.query({
        text: `select attname as name, format_type(atttypid, atttypmod) as type, attnotnull as "notNull"
          from pg_attribute where attrelid = $1::regclass and attnum > 0 order by attnum`,
        values: [getTableName(table)],
      })
      const described = Object.values(getTableColumns(table)).map((column) => ({
        name: column.name,
        type: column.getSQLType().replace('timestamp (3)', 'timestamp(3)'),
        notNull: column.notNull,
      }))
      expect(rows).toEqual(described)
    }
  })

  it('services that start together apply each migration once', async () => {
    await using created = await testDatabase()
    const applied = await Promise.all([1, 2, 3, 4].map(() => migrate(created.url, [first, second])))
    expect(applied.flat()).toEqual(['0000_first', '0001_second'])
  })

  it('applies only what is missing', async () => {
    await using created = await testDatabase()
    await migrate(created.url, [first])
    expect(await migrate(created.url, [first, second])).toEqual(['0001_second'])
    expect(await migrate(created.url, [first, second])).toEqual([])
  })

  it('a migration that fails leaves the database as it was', async () => {
    await using created = await testDatabase()
    const broken = { number: 1, name: '0001_broken', sql: 'create table third (); select 1 / 0' }
    await expect(migrate(created.url, [first, broken])).rejects.toThrow('division by zero')
    expect(await migrate(created.url, [first])).toEqual(['0000_first'])
  })

  it('refuses a database that is newer than the code, and names both versions', async () => {
    await using created = await testDatabase()
    await migrate(created.url, [first, second])
    await expect(migrate(created.url, [first])).rejects.toMatchObject({
      code: 'database_newer',
      message: expect.stringContaining('0001_second, which this version does not know'),
    })
  })

  it('refuses a database whose migration was another', async () => {
    await using created = await testDatabase()
    await migrate(created.url, [first])
    const edited = { ...first, sql: 'create table first (id bigint)' }
    await expect(migrate(created.url, [edited, second])).rejects.toMatchObject({
      code: 'migration_changed',
    })
  })
})
