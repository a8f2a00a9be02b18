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

it('a connection that breaks between two statements of a transaction fails the next one', async () => {
  await using created = await testDatabase()
  await using database = new Database(created.url, { applicationName: 'test' })
  await using other = new Database(created.url, { applicationName: 'other' })
  const broken = database.transaction(async (transaction) => {
    const { rows } = await transaction.query<{ pid: number }>('select pg_backend_pid() as pid')
    await other.query({ text: 'select pg_terminate_backend($1)', values: [rows[0]?.pid] })
    // The end of the connection comes by itself, with no statement that could fail by it.
    await waitUntil('its end', async () => {
      const { count } = await other.query({
        text: 'select from pg_stat_activity where pid = $1',
        values: [rows[0]?.pid],
      })
      return count === 0
    })
    await transaction.query('select 1')
  })
  expect(isOutage(await broken.catch((error: unknown) => error))).toBe(true)
})
