import { Database, migrate } from '@tickertape/market-store'
import { Registry } from '@tickertape/service-runtime'
import { TcpProxy, testDatabase, waitUntil } from '@tickertape/testing'
import { expect, it } from 'vitest'

import { readDatabaseFacts } from '../src/database-facts.ts'
import { createDatabaseMetrics } from '../src/database-metrics.ts'
import type { DatabaseFacts } from '../src/database-metrics.ts'
import { DatabaseWatch } from '../src/database-watch.ts'

const written = [
  'candles',
  'feed_watermarks',
  'instruments',
  'rejected',
  'sequence_gaps',
  'sink_offsets',
  'trades',
]

it('PostgreSQL tells of itself to a role without privileges', async () => {
  await using created = await testDatabase()
  await migrate(created.url)
  await using database = new Database(created.url, { applicationName: 'test' })
  const facts = await readDatabaseFacts(database)
  expect(facts.tables.map(({ table }) => table).toSorted()).toEqual(written)
  expect(facts.sizeBytes).toBeGreaterThan(facts.tables.reduce((sum, { bytes }) => sum + bytes, 0))
  expect(facts.connectionsLimit).toBeGreaterThan(1)
  expect([...facts.connections.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0)
  for (const value of Object.values(facts)) {
    expect(typeof value === 'object' || Number.isFinite(value)).toBe(true)
  }
})

it('a transaction that stays open shows by its age, and a lock that is waited for', async () => {
  await using created = await testDatabase()
  await migrate(created.url)
  await using database = new Database(created.url, { applicationName: 'test', maxConnections: 4 })
  await database.transaction(async (transaction) => {
    await transaction.query('lock table instruments in share mode')
    const waiting = database.query("delete from instruments where instrument_id = 'none'")
    const facts = await waitUntil('somebody who waits', async () => {
      const asked = await readDatabaseFacts(database)
      return asked.lockWaits === 1 && asked.oldestTransactionSeconds > 0 ? asked : undefined
    })
    expect(facts.connections.get('idle in transaction')).toBe(1)
    void waiting.catch(() => undefined)
  })
})

it('nothing is told of a database that is away, but that it is away', async () => {
  await using created = await testDatabase()
  await migrate(created.url)
  const url = new URL(created.url)
  await using proxy = await TcpProxy.to(url.host)
  url.host = `127.0.0.1:${proxy.port}`
  const metrics = new Registry()
  let facts: DatabaseFacts | undefined
  let askings = 0
  createDatabaseMetrics(metrics, () => facts)
  await using _watch = new DatabaseWatch({
    databaseUrl: url.toString(),
    databaseSchema: 'public',
    events: {
      databaseAsked: (told) => {
        facts = told
        askings += 1
      },
    },
    everyMs: 20,
  })
  const series = async (): Promise<readonly string[]> =>
    (await metrics.metrics()).split('\n').filter((line) => line.startsWith('pg_sink_database'))
  await waitUntil('facts', () => facts !== undefined)
  const told = await series()
  expect(told).toContain('pg_sink_database_up 1')
  expect(told.some((line) => line.startsWith('pg_sink_database_dead_rows{table="trades"}'))).toBe(
    true,
  )
  proxy.shut()
  await waitUntil('the outage', () => facts === undefined)
  expect(await series()).toEqual(['pg_sink_database_up 0'])
  proxy.open()
  const before = askings
  await waitUntil('facts again', () => facts !== undefined && askings > before)
  expect((await series()).length).toBe(told.length)
})
