import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import {
  GroupReader,
  Registry,
  Serializer,
  TransactionalProducer,
  ensureTopics,
  topicName,
  topicOffsets,
} from '@tickertape/kafka-avro'
import type { Candle } from '@tickertape/market-model'
import { bulkInsert, bulkUpsert, candleRow, candles, sinkOffsets } from '@tickertape/market-store'
import { testStack, uniquePrefix } from '@tickertape/testing'

import { verify, verifyDefaults } from '../src/index.ts'
import type { VerifyReport } from '../src/index.ts'
import { createStoredMarket, heartbeat, trade } from './stored-market.ts'
import type { StoredMarket } from './stored-market.ts'

const { kafkaBrokers, registryUrl } = testStack()
const connection = { brokers: kafkaBrokers }
const events = [trade(1, 500), heartbeat(61_000)]

let market: StoredMarket
let prefix: string
let closed: readonly Candle[]
let groupId: string

beforeEach(async () => {
  prefix = uniquePrefix()
  groupId = `${prefix}aggregator`
  market = await createStoredMarket(topicName('market-events', prefix))
  await ensureTopics({ connection, prefix, partitions: 1 })
  closed = (await market.store(events)).candles
  await market.database.query('truncate candles')
})

afterEach(() => market[Symbol.asyncDispose]())

function verifyWithin(waitMs: number): Promise<VerifyReport> {
  return verify({
    ...verifyDefaults,
    connection,
    databaseUrl: market.databaseUrl,
    topicPrefix: prefix,
    aggregatorGroupId: groupId,
    waitMs,
  })
}

/** Writes the market's records, and its candles and offsets in one transaction, as the aggregator does. */
async function aggregate(): Promise<void> {
  const registry = new Registry({ url: registryUrl }, prefix)
  const serializer = new Serializer('candles', await registry.register('candles'))
  await using producer = await TransactionalProducer.open({
    connection,
    clientId: prefix,
    transactionalId: prefix,
  })
  const topic = topicName('market-events', prefix)
  const reader = new GroupReader({
    connection,
    clientId: prefix,
    groupId,
    topics: [topic],
    onWarning: () => undefined,
  })
  const done = new AbortController()
  await reader.run(
    {
      assigned: async (partitions) => partitions.map((partition) => ({ ...partition, offset: 0 })),
      revoked: async () => undefined,
      process: async () => {
        await producer.begin()
        for (const value of events) {
          await producer.produce({ topic, partition: 0, key: null, value: Buffer.from(value.type) })
        }
        for (const candle of closed) {
          await producer.produce({
            topic: topicName('candles', prefix),
            partition: 0,
            key: candle.instrumentId,
            value: serializer.serialize(candle),
          })
        }
        await producer.sendOffsets([{ topic, partition: 0, offset: events.length }], reader)
        await producer.commit()
        done.abort()
      },
    },
    done.signal,
  )
}

async function sink(count: number): Promise<void> {
  await market.database.query(bulkInsert(candles).with(closed.slice(0, count).map(candleRow)))
  const upsert = bulkUpsert(sinkOffsets)
  const topic = topicName('candles', prefix)
  await market.database.query(upsert.with([{ topic, partition: 0, nextOffset: count, epoch: 1 }]))
}

describe('verify waits', () => {
  it('for the aggregator, and says where it is', async () => {
    const topic = topicName('market-events', prefix)
    await expect(verifyWithin(0)).rejects.toMatchObject({
      code: 'not_arrived',
      message: `The group ${groupId} has not come to where the sink is in ${topic}: partition 0 is at no offset of 2. Is the aggregator running?`,
    })
  })

  it('for the sink to store the last candle, and not for the marker of the transaction behind it', async () => {
    await aggregate()
    const [end] = await topicOffsets(connection, topicName('candles', prefix))
    expect(end?.high).toBe(closed.length + 1)
    await sink(closed.length - 1)
    await expect(verifyWithin(0)).rejects.toMatchObject({
      code: 'not_arrived',
      message: expect.stringContaining(
        `partition 0 is at ${closed.length - 1} of ${closed.length}`,
      ),
    })
    const waiting = verifyWithin(60_000)
    await market.database.query('truncate candles')
    await sink(closed.length)
    expect(await waiting).toMatchObject({
      trades: 1,
      candles: { '1s': 1, '1m': 1, '5m': 0 },
      differences: 0,
    })
  })
})
