import { expect, it } from 'vitest'

import type { Trade } from '@tickertape/market-model'
import { Database, ensureTradePartitions, migrate, tradeDay } from '@tickertape/market-store'
import { testDatabase } from '@tickertape/testing'

import { Batch } from '../src/batch.ts'
import { writeBatch } from '../src/batch-writer.ts'
import { claimPartitions, partitionKey } from '../src/partition-epochs.ts'
import type { ClaimedPartition } from '../src/partition-epochs.ts'
import { base, patiently, storedTrades, trade } from './sink-log.ts'

const topic = 'market-events'
const both = [
  { topic, partition: 0 },
  { topic, partition: 1 },
]

async function openDatabase() {
  const created = await testDatabase()
  await migrate(created.url)
  const database = new Database(created.url, { applicationName: 'test', maxConnections: 3 })
  await ensureTradePartitions(database, [tradeDay(base)])
  return {
    database,
    [Symbol.asyncDispose]: async () => {
      await database[Symbol.asyncDispose]()
      await created[Symbol.asyncDispose]()
    },
  }
}

function batchAt(partition: number, offset: number, price: number): Batch {
  const batch = new Batch()
  const record = { topic, partition, offset, value: null }
  batch.reached(record)
  const { value } = trade(offset, { price: { mantissa: price, exponent: 0 } })
  batch.addTrade(value as Trade, record)
  return batch
}

function owned(claimed: readonly ClaimedPartition[]): Map<string, ClaimedPartition> {
  return new Map(claimed.map((partition) => [partitionKey(partition), partition]))
}

const fromSeven = async (partitions: readonly { topic: string; partition: number }[]) =>
  partitions.map((partition) => ({ ...partition, offset: 7 }))

it('a partition that was never written begins at the log’s first offset, later ones where they are', async () => {
  await using store = await openDatabase()
  const first = await claimPartitions(store.database, both.slice(0, 1), fromSeven)
  expect(first).toEqual([{ topic, partition: 0, offset: 7, epoch: 1 }])
  await writeBatch(store.database, batchAt(0, 20, 1), owned(first))
  const second = await claimPartitions(store.database, both, fromSeven)
  expect(second).toEqual([
    { topic, partition: 0, offset: 21, epoch: 2 },
    { topic, partition: 1, offset: 7, epoch: 1 },
  ])
})

it('the commit of an owner that another has followed fails and writes nothing', async () => {
  await using store = await openDatabase()
  const stale = owned(await claimPartitions(store.database, both, fromSeven))
  const current = owned(await claimPartitions(store.database, both.slice(0, 1), fromSeven))
  await expect(writeBatch(store.database, batchAt(0, 7, 1), stale)).rejects.toMatchObject({
    code: 'stale_owner',
    message: expect.stringContaining('market-events [0]'),
  })
  expect(await storedTrades(store.database)).toEqual([])
  await writeBatch(store.database, batchAt(1, 7, 3), stale)
  await writeBatch(store.database, batchAt(0, 8, 2), current)
  expect(await storedTrades(store.database)).toEqual([
    'BTC-PERPETUAL t8 2 0 8',
    'BTC-PERPETUAL t7 3 1 7',
  ])
})

it('an owner that is frozen in the middle of its transaction is ended by the next', async () => {
  // PostgreSQL waits for the data of a COPY without any of its timeouts: a sink that was stopped in one kept
  // its partitions from every successor.
  await using store = await openDatabase()
  await claimPartitions(store.database, both, fromSeven)
  const holding = Promise.withResolvers<void>()
  const awake = Promise.withResolvers<void>()
  const frozen = store.database.transaction(async (transaction) => {
    await transaction.query(patiently)
    await transaction.query('select from sink_offsets for update')
    holding.resolve()
    await awake.promise
    await transaction.query('update sink_offsets set next_offset = 0')
  })
  const outcome = frozen.then(
    () => 'committed',
    () => 'ended',
  )
  await holding.promise
  const current = await claimPartitions(store.database, both, fromSeven, 50)
  expect(current).toEqual([
    { topic, partition: 0, offset: 7, epoch: 2 },
    { topic, partition: 1, offset: 7, epoch: 2 },
  ])
  awake.resolve()
  expect(await outcome).toBe('ended')
})

it('a batch whose commit counted without our knowing is found written, and left alone', async () => {
  await using store = await openDatabase()
  const claims = owned(await claimPartitions(store.database, both, fromSeven))
  const batch = batchAt(0, 7, 1)
  expect(await writeBatch(store.database, batch, claims)).toMatchObject({ trades: 1 })
  expect(await writeBatch(store.database, batch, claims)).toBeUndefined()
  expect(await storedTrades(store.database)).toEqual(['BTC-PERPETUAL t7 1 0 7'])
})

it('offsets that somebody else has moved stop the owner before it writes', async () => {
  await using store = await openDatabase()
  const claims = owned(await claimPartitions(store.database, both, fromSeven))
  await store.database.query('update sink_offsets set next_offset = 3 where partition = 0')
  await expect(writeBatch(store.database, batchAt(0, 7, 1), claims)).rejects.toMatchObject({
    code: 'offsets_changed',
  })
  expect(await storedTrades(store.database)).toEqual([])
})
