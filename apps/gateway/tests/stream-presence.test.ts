import { Database, migrate } from '@tickertape/market-store'
import { testDatabase, waitUntil } from '@tickertape/testing'
import { expect, it } from 'vitest'

import { keepPresence } from '../src/stream/presence.ts'

const instanceRows = 'select instance, clients from gateway_instances order by instance'

function recorded() {
  const failures: unknown[] = []
  const events = {
    presenceTold: () => undefined,
    presenceFailed: (error: unknown) => void failures.push(error),
  }
  return { failures, events }
}

it('each instance tells of its clients, takes its row along, and those that are gone are removed', async () => {
  await using test = await testDatabase()
  await migrate(test.url)
  await using database = new Database(test.url, { applicationName: 'test', maxConnections: 2 })
  await database.query(
    `insert into gateway_instances values ('gone', now(), now() - interval '1 minute', 7), ('alive', now(), now() + interval '1 hour', 8)`,
  )
  const { events, failures } = recorded()
  let clients = 3
  const presence = keepPresence(
    { database, instance: 'mine', startedAt: new Date(), everyMs: 50, clients: () => clients },
    events,
  )
  const rowsAre = (expected: readonly (readonly [string, number])[]) => async () => {
    const { rows } = await database.query<{ instance: string; clients: number }>(instanceRows)
    return (
      JSON.stringify(rows.map((row) => [row.instance, row.clients])) === JSON.stringify(expected)
    )
  }
  await waitUntil(
    'the first count',
    rowsAre([
      ['alive', 8],
      ['mine', 3],
    ]),
  )
  clients = 4
  await waitUntil(
    'the next count',
    rowsAre([
      ['alive', 8],
      ['mine', 4],
    ]),
  )
  await presence[Symbol.asyncDispose]()
  expect(await rowsAre([['alive', 8]])()).toBe(true)
  expect(failures).toEqual([])
})

it('a database without its table is told of, and tried again', async () => {
  await using test = await testDatabase()
  await using database = new Database(test.url, { applicationName: 'test', maxConnections: 2 })
  const { events, failures } = recorded()
  await using _presence = keepPresence(
    { database, instance: 'mine', startedAt: new Date(), everyMs: 20, clients: () => 0 },
    events,
  )
  await waitUntil('two failures', () => failures.length >= 2)
  await migrate(test.url)
  await waitUntil('the row', async () => (await database.query(instanceRows)).rows.length === 1)
  expect(failures.length).toBeGreaterThanOrEqual(2)
})
