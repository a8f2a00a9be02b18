import { expect, it } from 'vitest'

import {
  TransactionalProducer,
  ensureTopics,
  readPartition,
  topicName,
  topicOffsets,
} from '@tickertape/kafka-avro'
import { Database, migrate } from '@tickertape/market-store'
import { testDatabase, testStack, uniquePrefix } from '@tickertape/testing'

import { newClaim } from '../src/claim.ts'
import { claimRejected, countRejected, redriveToLog } from '../src/index.ts'
import type { RedriveToLogOptions, RejectedRecord } from '../src/index.ts'
import { redrivenFrom, redrivenHeader } from '../src/redriven-header.ts'

const selection = { stage: 'aggregator', reason: 'undecodable' } as const

async function installation() {
  const prefix = uniquePrefix()
  const connection = { brokers: testStack().kafkaBrokers }
  await ensureTopics({ connection, prefix, partitions: 2 })
  const created = await testDatabase()
  await migrate(created.url)
  const database = new Database(created.url, { applicationName: 'test' })
  const topic = topicName('market-events', prefix)
  return {
    connection,
    prefix,
    database,
    topic,
    /** Rejects at the given offsets of `rejected`, their bytes naming them. */
    reject: async (offsets: readonly number[], reason = 'undecodable') => {
      await database.query({
        text: `insert into rejected (topic, partition, "offset", stage, reason, message, source_topic,
            source_partition, source_offset, key, value, rejected_at)
          select 'rejected', at % 2, at, 'aggregator', $2, 'no Avro', $3, at % 2, at + 1000,
            convert_to('key', 'UTF8'), convert_to('value ' || at, 'UTF8'), now()
          from unnest($1::integer[]) as at`,
        values: [offsets, reason, topic],
      })
    },
    /** By partition, in order: the value and what it was put back from. */
    log: async () => {
      const found: string[] = []
      for (const partition of [0, 1]) {
        const batches = readPartition(
          { connection, clientId: 'test' },
          { topic, partition, from: 'earliest', to: 'end' },
        )
        for await (const batch of batches) {
          for (const { headers, key, value } of batch) {
            const from = redrivenFrom(headers)
            found.push(
              `${partition} ${String(key)} ${String(value)} ${from?.partition}@${from?.offset}`,
            )
          }
        }
      }
      return found
    },
    run: (recordsOf: RedriveToLogOptions['recordsOf'] = back(topic)) => {
      const kept: string[] = []
      let recovered = 0
      const progress = redriveToLog({
        database,
        connection,
        topicPrefix: prefix,
        selection,
        recordsOf,
        onKept: ({ offset }, why) => kept.push(`${offset}: ${why}`),
        onProgress: () => undefined,
        onRecovered: (count) => (recovered += count),
        signal: new AbortController().signal,
      })
      return progress.then((done) => ({ ...done, keptBecause: kept, recovered }))
    },
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]()
      await created[Symbol.asyncDispose]()
    },
  }
}

function back(topic: string) {
  return ({ key, source, value }: RejectedRecord) => [
    { topic, partition: source?.partition ?? 0, key, value },
  ]
}

it('puts each selected record back once, where it was read, and says where it comes from', async () => {
  await using at = await installation()
  await at.reject([1, 2, 3])
  await at.reject([4], 'future')
  expect(await at.run()).toMatchObject({ redriven: 3, kept: 0, recovered: 0 })
  const expected = ['0 key value 2 0@2', '1 key value 1 1@1', '1 key value 3 1@3']
  expect(await at.log()).toEqual(expected)
  expect(await at.run()).toMatchObject({ redriven: 0, kept: 0 })
  expect(await at.log()).toEqual(expected)
  expect(await countRejected(at.database, 'undecodable')).toEqual([
    { stage: 'aggregator', reason: 'undecodable', waiting: 0, redriven: 3 },
  ])
})

it('what nothing can be made of stays, and is tried again by the next run', async () => {
  await using at = await installation()
  await at.reject([1, 2, 3, 4])
  const hopeless = (record: RejectedRecord) =>
    record.offset % 2 === 0 ? 'no idea what it is' : back(at.topic)(record)
  expect(await at.run(hopeless)).toMatchObject({
    redriven: 2,
    kept: 2,
    keptBecause: ['2: no idea what it is', '4: no idea what it is'],
  })
  expect(await at.run()).toMatchObject({ redriven: 2, kept: 0 })
  expect(await at.log()).toHaveLength(4)
})

// A run that is killed between its commit and the mark has put records back that look as if they were not.
it('what a killed run had committed is found in the log, and what it had not is put back', async () => {
  await using at = await installation()
  await at.reject([1, 2, 3, 4])
  const ends = await topicOffsets(at.connection, at.topic)
  const claim = newClaim(ends.map(({ partition, high }) => ({ partition, offset: high })))
  const claimed = await claimRejected(at.database, selection, claim, undefined, 3)
  {
    await using producer = await TransactionalProducer.open({
      connection: at.connection,
      clientId: 'killed',
      transactionalId: `${at.prefix}redrive`,
    })
    for (const committed of [true, false]) {
      await producer.begin()
      for (const record of claimed.filter(({ offset }) => (offset === 2) === committed)) {
        const [put] = back(at.topic)(record)
        if (put !== undefined) await producer.produce({ ...put, headers: [redrivenHeader(record)] })
      }
      if (committed) await producer.commit()
    }
    // It ends without a commit of the second transaction, and without a mark.
  }
  expect(await at.run()).toMatchObject({ redriven: 3, kept: 0, recovered: 1 })
  expect(await at.log()).toEqual([
    '0 key value 2 0@2',
    '0 key value 4 0@4',
    '1 key value 1 1@1',
    '1 key value 3 1@3',
  ])
})
