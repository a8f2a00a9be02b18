import { expect, it } from 'vitest'

import { testDatabase, waitUntil } from '@tickertape/testing'

import { Database, isOutage } from '../src/index.ts'

it('a transaction that throws leaves nothing behind', async () => {
  await using created = await testDatabase()
  await using database = new Database(created.url, { applicationName: 'test' })
  await database.query('create table numbers (number integer)')
  const failing = database.transaction(async (transaction) => {
    await transaction.query('insert into numbers values (1)')
    throw new Error('enough')
  })
  await expect(failing).rejects.toThrow('enough')
  expect((await database.query('select number from numbers')).rows).toEqual([])
})

it('a connection that the server ends fails as an outage, and the next statement opens another', async () => {
  await using created = await testDatabase()
  await using database = new Database(created.url, { applicationName: 'victim' })
  await using other = new Database(created.url, { applicationName: 'other' })
  const sleeping = database
    .transaction((transaction) => transaction.query('select pg_sleep(60)'))
    .catch((error: unknown) => error)
  await waitUntil('the end of the connection', async () => {
    const { count } = await other.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'victim' and query like '%pg_sleep%'`,
    )
    return count > 0
  })
  expect(isOutage(await sleeping)).toBe(true)
  expect((await database.query('select 1 as one')).rows).toEqual([{ one: 1 }])
})
