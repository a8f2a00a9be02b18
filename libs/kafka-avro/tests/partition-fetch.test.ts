import { testStack, uniquePrefix, waitUntil } from '@tickertape/testing'
import { describe, expect, it } from 'vitest'

import {
  EventProducer,
  TransactionalProducer,
  ensureTopics,
  fetchPartition,
  readPartition,
  topicName,
  topicOffsets,
} from '../src/index.ts'
import type { LogRecord, PartitionFetchOptions } from '../src/index.ts'

const connection = { brokers: testStack().kafkaBrokers }

async function createTopic(): Promise<string> {
  const prefix = uniquePrefix()
  await ensureTopics({ connection, prefix, partitions: 1 })
  return topicName('aggregator-state', prefix)
}

function record(topic: string, text: string) {
  return { topic, partition: 0, key: text, value: Buffer.from(text) }
}

async function collected(
  batches: AsyncIterable<readonly LogRecord[]>,
): Promise<readonly { offset: number; text: string }[]> {
  const all: { offset: number; text: string }[] = []
  for await (const records of batches) {
    all.push(...records.map(({ offset, value }) => ({ offset, text: String(value) })))
  }
  return all
}

function fetched(
  topic: string,
  from: number | 'earliest' = 'earliest',
  to: number | 'end' = 'end',
  options: Partial<PartitionFetchOptions> = {},
) {
  const all = { connection, clientId: 'test', ...options }
  return collected(fetchPartition(all, { topic, partition: 0, from, to }))
}

async function end(topic: string): Promise<number> {
  return (await topicOffsets(connection, topic))[0]?.high ?? 0
}

/**
 * Two producers whose transactions overlap, of which one aborts all of its own but the last, under one id, and a third
 * that knows of no transactions.
 */
async function overlappingTransactions(topic: string): Promise<readonly string[]> {
  const rounds = 4
  const committed: string[] = []
  await using plain = await EventProducer.open({ connection, clientId: topic, lingerMs: 0 })
  await using keeping = await TransactionalProducer.open({
    connection,
    clientId: topic,
    transactionalId: `${topic}-keeping`,
  })
  for (let round = 0; round < rounds; round += 1) {
    // Its disposal aborts.
    await using aborting = await TransactionalProducer.open({
      connection,
      clientId: topic,
      transactionalId: `${topic}-aborting`,
    })
    const texts: string[] = []
    await keeping.begin()
    await aborting.begin()
    for (let number = 0; number < 3; number += 1) {
      const before = await end(topic)
      for (let copy = 0; copy < 20; copy += 1) {
        texts.push(`aborted ${round} ${number} ${copy}`)
        await aborting.produce(record(topic, `aborted ${round} ${number} ${copy}`))
        await keeping.produce(record(topic, `kept ${round} ${number} ${copy}`))
        plain.produce(record(topic, `plain ${round} ${number} ${copy}`))
        committed.push(`kept ${round} ${number} ${copy}`, `plain ${round} ${number} ${copy}`)
      }
      // Batches of all three are in the log before the next ones.
      await waitUntil('the records are appended', async () => (await end(topic)) >= before + 60)
    }
    if (round % 2 === 0) await keeping.commit()
    // The last one of it counts, though the ones before it under this id did not.
    if (round === rounds - 1) {
      await aborting.commit()
      committed.push(...texts)
    }
    await aborting[Symbol.asyncDispose]()
    if (round % 2 === 1) await keeping.commit()
  }
  return committed
}

describe('fetching a partition read committed', () => {
  // Filters that look at one answer alone let aborted records through when the marker lies in another,
  // or when one producer aborts twice.
  it('gives what librdkafka gives of transactions that overlap and abort, however it is cut', async () => {
    const topic = await createTopic()
    const committed = await overlappingTransactions(topic)
    const range = { topic, partition: 0, from: 'earliest', to: 'end' } as const
    const expected = await collected(readPartition({ connection, clientId: 'test' }, range))
    expect(expected.map(({ text }) => text).toSorted()).toEqual(committed.toSorted())
    for (const fetchBytes of [1, 2_000, 1_000_000]) {
      expect(await fetched(topic, 'earliest', 'end', { fetchBytes })).toEqual(expected)
    }
    const last = await end(topic)
    for (let from = 0; from < last; from += 13) {
      const rest = expected.filter(({ offset }) => offset >= from)
      expect(await fetched(topic, from, 'end', { fetchBytes: 1 })).toEqual(rest)
      const begin = expected.filter(({ offset }) => offset < from)
      expect(await fetched(topic, 'earliest', from)).toEqual(begin)
    }
  })

  it('waits for transactions that are open when it begins: a restore sees its predecessor’s last commit', async () => {
    const topic = await createTopic()
    await using producer = await TransactionalProducer.open({
      connection,
      clientId: topic,
      transactionalId: topic,
    })
    await producer.begin()
    await producer.produce(record(topic, 'before'))
    await producer.commit()
    await producer.begin()
    await producer.produce(record(topic, 'open'))
    await waitUntil('it is in the log, and not committed', async () => (await end(topic)) > 2)
    const reading = fetched(topic)
    await producer.commit()
    expect((await reading).map(({ text }) => text)).toEqual(['before', 'open'])
  })

  it('reads nothing of an empty partition', async () => {
    expect(await fetched(await createTopic())).toEqual([])
  })

  it('halts at offsets that the log does not have', async () => {
    const topic = await createTopic()
    await expect(fetched(topic, 5, 10)).rejects.toMatchObject({ code: 'offset_out_of_range' })
  })

  it('can be left before its end', async () => {
    const topic = await createTopic()
    await using producer = await EventProducer.open({ connection, clientId: topic })
    for (let number = 0; number < 10_000; number += 1) producer.produce(record(topic, `${number}`))
    await producer.acknowledged()
    const range = { topic, partition: 0, from: 'earliest', to: 'end' } as const
    for await (const records of fetchPartition({ connection, clientId: 'test' }, range)) {
      expect(String(records[0]?.value)).toBe('0')
      break
    }
  })
})
