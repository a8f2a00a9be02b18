import { testStack, uniquePrefix } from '@tickertape/testing'
import { describe, expect, it } from 'vitest'

import {
  EventProducer,
  GroupReader,
  KafkaAvroError,
  TransactionalProducer,
  ensureTopics,
  readPartition,
  requireTopics,
  topicName,
  topicOffsets,
} from '../src/index.ts'
import type { Message } from '../src/index.ts'

const connection = { brokers: testStack().kafkaBrokers }

async function createTopics(): Promise<string> {
  const prefix = uniquePrefix()
  await ensureTopics({ connection, prefix, partitions: 2 })
  return prefix
}

async function readAll(topic: string, partition = 0): Promise<readonly string[]> {
  const values: string[] = []
  const range = { topic, partition, from: 'earliest', to: 'end' } as const
  for await (const messages of readPartition({ connection, clientId: 'test' }, range)) {
    values.push(...messages.map(({ value }) => String(value)))
  }
  return values
}

function record(topic: string, text: string, partition = 0) {
  return { topic, partition, key: null, value: Buffer.from(text) }
}

describe('topics', () => {
  it('are created once, with one partition count for all', async () => {
    const prefix = await createTopics()
    await ensureTopics({ connection, prefix, partitions: 9 })
    expect(await requireTopics(connection, prefix, ['market-events', 'candles', 'rejected'])).toBe(
      2,
    )
  })

  it('keep records by the time of appending, however old their events are', async () => {
    const prefix = await createTopics()
    const topic = topicName('market-events', prefix)
    await using producer = await EventProducer.open({ connection, clientId: prefix })
    producer.produce(record(topic, 'old'))
    await producer.acknowledged()
    const before = Date.now() - 60_000
    const range = { topic, partition: 0, from: 0, to: 1 } as const
    const messages: Message[] = []
    for await (const batch of readPartition({ connection, clientId: 'test' }, range)) {
      messages.push(...batch)
    }
    expect(messages[0]?.timestamp).toBeGreaterThan(before)
  })

  it('that are missing are named', async () => {
    await expect(requireTopics(connection, 'nowhere.', ['candles'])).rejects.toMatchObject({
      code: 'topic_missing',
      message: expect.stringContaining('nowhere.candles'),
    })
  })
})

describe('producing', () => {
  it('keeps the order of a partition, and is acknowledged when all of it is in the log', async () => {
    const topic = topicName('market-events', await createTopics())
    await using producer = await EventProducer.open({ connection, clientId: topic })
    const texts = Array.from({ length: 20_000 }, (_, number) => String(number))
    for (const text of texts) producer.produce(record(topic, text))
    await producer.acknowledged()
    expect(producer.inFlight).toBe(0)
    expect((await topicOffsets(connection, topic)).map(({ high }) => high)).toEqual([20_000, 0])
    expect(await readAll(topic)).toEqual(texts)
  })

  it('tells when there is room again', async () => {
    const topic = topicName('market-events', await createTopics())
    await using producer = await EventProducer.open({ connection, clientId: topic })
    for (let number = 0; number < 5_000; number += 1) producer.produce(record(topic, 'x'))
    await producer.whenInFlightBelow(10)
    expect(producer.inFlight).toBeLessThan(10)
  })
})

describe('a record whose delivery is listened for', () => {
  it('is told once, with its offset, and no other is', async () => {
    const prefix = await createTopics()
    const topic = topicName('market-events', prefix)
    await using producer = await EventProducer.open({ connection, clientId: prefix })
    const told: unknown[] = []
    producer.produce(record(topic, 'a'))
    producer.produce(record(topic, 'b'), (delivered) => told.push(delivered))
    producer.produce(record(topic, 'c'))
    await producer.acknowledged()
    expect(told).toEqual([{ offset: 1 }])
  })
})

describe('transactions', () => {
  it('that are open when their producer is disposed are never read', async () => {
    const topic = topicName('candles', await createTopics())
    const identity = { connection, clientId: topic, transactionalId: topic }
    {
      await using first = await TransactionalProducer.open(identity)
      await first.begin()
      await first.produce(record(topic, 'aborted'))
    }
    await using producer = await TransactionalProducer.open(identity)
    await producer.begin()
    await producer.produce(record(topic, 'committed'))
    await producer.commit()
    expect(await readAll(topic)).toEqual(['committed'])
  })

  it('that are open when a read begins are waited for: a restore sees its predecessor’s last commit', async () => {
    const topic = topicName('candles', await createTopics())
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
    // It is in the log, and not committed.
    await expect
      .poll(async () => (await topicOffsets(connection, topic))[0]?.high, { timeout: 10_000 })
      .toBeGreaterThan(2)
    const reading = readAll(topic)
    await producer.commit()
    expect(await reading).toEqual(['before', 'open'])
  })

  it('of a killed predecessor end when its successor opens the same id', async () => {
    const topic = topicName('candles', await createTopics())
    const identity = { connection, clientId: topic, transactionalId: topic }
    await using first = await TransactionalProducer.open(identity)
    await first.begin()
    await first.produce(record(topic, 'of the first'))
    await using second = await TransactionalProducer.open(identity)
    await second.begin()
    await second.produce(record(topic, 'of the second'))
    await second.commit()
    await expect(first.commit()).rejects.toMatchObject({ code: 'transaction_failed' })
    expect(await readAll(topic)).toEqual(['of the second'])
  })
})

describe('reading in a group', () => {
  // auto.offset.reset was passed where the client ignored it: readers jumped to the log's end.
  it('halts at an offset that the log does not have, instead of skipping', async () => {
    const topic = topicName('market-events', await createTopics())
    const reader = new GroupReader({
      connection,
      clientId: topic,
      groupId: topic,
      topics: [topic],
      onWarning: () => undefined,
    })
    const reading = reader.run(
      {
        assigned: (partitions) =>
          Promise.resolve(partitions.map((assigned) => ({ ...assigned, offset: 1_000 }))),
        revoked: () => Promise.resolve(),
        process: () => Promise.resolve(),
      },
      AbortSignal.timeout(60_000),
    )
    await expect(reading).rejects.toSatisfy(
      (error) => error instanceof KafkaAvroError && error.code === 'offset_out_of_range',
    )
  })

  it('begins where it was told to, and its stop lets the handler finish', async () => {
    const topic = topicName('market-events', await createTopics())
    await using producer = await EventProducer.open({ connection, clientId: topic })
    for (const text of ['a', 'b', 'c']) producer.produce(record(topic, text))
    await producer.acknowledged()
    const reader = new GroupReader({
      connection,
      clientId: topic,
      groupId: topic,
      topics: [topic],
      onWarning: () => undefined,
    })
    const stopping = new AbortController()
    const seen: string[] = []
    await reader.run(
      {
        assigned: (partitions) =>
          Promise.resolve(
            partitions.map((assigned) => ({
              ...assigned,
              offset: assigned.partition === 0 ? 1 : 0,
            })),
          ),
        revoked: () => {
          seen.push('revoked')
          return Promise.resolve()
        },
        process: (messages) => {
          seen.push(...messages.map(({ value }) => String(value)))
          if (seen.length >= 2) stopping.abort()
          return Promise.resolve()
        },
      },
      stopping.signal,
    )
    expect(seen).toEqual(['b', 'c', 'revoked'])
  })
})
