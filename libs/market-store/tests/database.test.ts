import { describe, expect, it } from 'vitest'

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

describe('a savepoint', () => {
  it('that fails leaves what was done before it, within another one too', async () => {
    await using created = await testDatabase()
    await using database = new Database(created.url, { applicationName: 'test' })
    await database.query('create table numbers (number integer)')
    const insert = (number: number) => `insert into numbers values (${number})`
    await database.transaction(async (transaction) => {
      await transaction.query(insert(1))
      await transaction.savepoint(async (outer) => {
        await outer.query(insert(2))
        const failing = outer.savepoint(async (inner) => {
          await inner.query(insert(3))
          await inner.query('select 1 / 0')
        })
        await expect(failing).rejects.toMatchObject({ code: '22012' })
        await outer.query(insert(4))
      })
      const failing = transaction.savepoint(async (inner) => {
        await inner.query(insert(5))
        throw new Error('enough')
      })
      await expect(failing).rejects.toThrow('enough')
      await transaction.query(insert(6))
    })
    const { rows } = await database.query('select number from numbers order by number')
    expect(rows).toEqual([1, 2, 4, 6].map((number) => ({ number })))
  })

  it('whose connection ends fails with that, and the transaction with it', async () => {
    await using created = await testDatabase()
    await using database = new Database(created.url, { applicationName: 'test' })
    const broken = database.transaction(async (transaction) => {
      const failure = await transaction
        .savepoint((inner) => inner.query('select pg_terminate_backend(pg_backend_pid())'))
        .catch((error: unknown) => error)
      expect(isOutage(failure)).toBe(true)
      await transaction.query('select 1')
    })
    expect(isOutage(await broken.catch((error: unknown) => error))).toBe(true)
    expect((await database.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })
})

describe('a copy', () => {
  /** More than the buffers between here and a server that does not read. */
  const manyNumbers = Array.from({ length: 64 }, () => Buffer.from('1\n'.repeat(500_000)))

  it('whose connection the server ends in the middle fails as an outage', async () => {
    await using created = await testDatabase()
    await using database = new Database(created.url, { applicationName: 'test' })
    await using other = new Database(created.url, { applicationName: 'other' })
    await database.query('create table numbers (number integer)')
    const copying = database
      .transaction(async (transaction) => {
        const { rows } = await transaction.query<{ pid: number }>('select pg_backend_pid() as pid')
        const copied = transaction.copy('copy numbers from stdin', manyNumbers)
        const ended = waitUntil('the copy to run', async () => {
          const { count } = await other.query({
            text: `select pg_terminate_backend(pid) from pg_stat_activity
              where pid = $1 and query like 'copy%' and state = 'active'`,
            values: [rows[0]?.pid],
          })
          return count > 0
        })
        await Promise.all([copied, ended])
      })
      .catch((error: unknown) => error)
    expect(isOutage(await copying)).toBe(true)
    expect((await database.query('select from numbers')).count).toBe(0)
  })

  it('that waits longer than an answer may take fails as an outage, and leaves no row', async () => {
    await using created = await testDatabase()
    await using database = new Database(created.url, {
      applicationName: 'test',
      queryTimeoutMs: 1_000,
    })
    await using other = new Database(created.url, { applicationName: 'other' })
    await other.query('create table numbers (number integer)')
    const failure = await other.transaction(async (locking) => {
      await locking.query('lock table numbers')
      return await database
        .transaction((transaction) => transaction.copy('copy numbers from stdin', manyNumbers))
        .catch((error: unknown) => error)
    })
    expect(isOutage(failure)).toBe(true)
    expect((await other.query('select from numbers')).count).toBe(0)
  })
})
