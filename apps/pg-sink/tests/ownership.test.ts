import { expect, it } from 'vitest'

import type { Trade } from '@tickertape/market-model'
import { Database, migrate } from '@tickertape/market-store'
import { testDatabase } from '@tickertape/testing'

import { Batch } from '../src/batch.ts'
import { writeBatch } from '../src/batch-writer.ts'
import { claimPartitions, partitionKey } from '../src/partition-epochs.ts'
import type { ClaimedPartition } from '../src/partition-epochs.ts'
import { storedTrades, trade } from './sink-log.ts'

const topic = 'market-events'
const both = [
  { topic, partition: 0 },
  { topic, partition: 1 },
]

async function openDatabase() {
  const created = await testDatabase()
  await migrate(created.url)
  const database = new Database(created.url, { applicationName: 'test' })
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
  const position = { topic, partition, offset }
  batch.reached(position, 1)
  const { value } = trade(offset, { price: { mantissa: price, exponent: 0 } })
  batch.addTrade(value as Trade, position)
  return batch
}

function epochsOf(claimed: readonly ClaimedPartition[]): Map<string, number> {
  return new Map(claimed.map((partition) => [partitionKey(partition), partition.epoch]))
}

const fromSeven = async (partitions: readonly { topic: string; partition: number }[]) =>
  partitions.map((partition) => ({ ...partition, offset: 7 }))

it('a partition that was never written begins at the log’s first offset, later ones where they are', async () => {
  await using store = await openDatabase()
  const first = await claimPartitions(store.database, both.slice(0, 1), fromSeven)
  expect(first).toEqual([{ topic, partition: 0, offset: 7, epoch: 1 }])
  await writeBatch(store.database, batchAt(0, 20, 1), epochsOf(first))
  const second = await claimPartitions(store.database, both, fromSeven)
  expect(second).toEqual([
    { topic, partition: 0, offset: 21, epoch: 2 },
    { topic, partition: 1, offset: 7, epoch: 1 },
  ])
})

it('the commit of an owner that another has followed fails and writes nothing', async () => {
  await using store = await openDatabase()
  const stale = epochsOf(await claimPartitions(store.database, both, fromSeven))
  const current = epochsOf(await claimPartitions(store.database, both.slice(0, 1), fromSeven))
  await expect(writeBatch(store.database, batchAt(0, 7, 1), stale)).rejects.toMatchObject({
    code: 'stale_owner',
    message: expect.stringContaining('market-events [0]'),
  })
  expect(await storedTrades(store.database)).toEqual([])
  await writeBatch(store.database, batchAt(1, 7, 3), stale)
  await writeBatch(store.database, batchAt(0, 7, 2), current)
  expect(await storedTrades(store.database)).toEqual(['BTC-PERPETUAL t7 3 1 7'])
})

it('a batch that was committed can be written again: nothing changes', async () => {
  await using store = await openDatabase()
  const epochs = epochsOf(await claimPartitions(store.database, both, fromSeven))
  const batch = batchAt(0, 7, 1)
  expect(await writeBatch(store.database, batch, epochs)).toMatchObject({ trades: 1 })
  expect(await writeBatch(store.database, batch, epochs)).toMatchObject({ trades: 0 })
  expect(await storedTrades(store.database)).toEqual(['BTC-PERPETUAL t7 1 0 7'])
})
