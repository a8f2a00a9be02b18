import { testStack, uniquePrefix, waitUntil } from '@tickertape/testing'
import { expect, it } from 'vitest'

import {
  EventProducer,
  TransactionalProducer,
  createLogReader,
  ensureTopics,
  logReaderKinds,
  topicName,
} from '../src/index.ts'
import type { ClientStatistics } from '../src/index.ts'

const connection = { brokers: testStack().kafkaBrokers }

async function createTopic(): Promise<string> {
  const prefix = uniquePrefix()
  await ensureTopics({ connection, prefix, partitions: 1 })
  return topicName('market-events', prefix)
}

/** Keeps the latest statistics, and waits for some that fit. */
function listening() {
  let latest: ClientStatistics | undefined
  return {
    onStatistics: (statistics: ClientStatistics): void => {
      latest = statistics
    },
    until: async (what: string, fits: (statistics: ClientStatistics) => boolean) =>
      await waitUntil(what, () => (latest !== undefined && fits(latest) ? latest : undefined)),
  }
}

function record(topic: string, number: number) {
  return { topic, partition: 0, key: null, value: Buffer.from(`record ${number}`) }
}

it('producers tell of what they have sent, and of their limits', async () => {
  const topic = await createTopic()
  const plain = listening()
  const transactions = listening()
  await using producer = await EventProducer.open({ connection, clientId: topic, ...plain })
  await using transactional = await TransactionalProducer.open({
    connection,
    clientId: topic,
    transactionalId: topic,
    ...transactions,
  })
  for (let number = 0; number < 10; number += 1) producer.produce(record(topic, number))
  await transactional.begin()
  await transactional.produce(record(topic, 10))
  await transactional.commit()
  const sent = await plain.until('10 records', ({ sentMessages }) => sentMessages === 10)
  expect(sent).toMatchObject({ queueMessages: 0, queueMessagesLimit: 500_000, brokersConnected: 1 })
  expect(sent.sentBytes).toBeGreaterThan(0)
  await transactions.until('1 record', ({ sentMessages }) => sentMessages === 1)
})

it.each(logReaderKinds)('a reader tells of its member and of its fetches: %s', async (kind) => {
  const topic = await createTopic()
  await using producer = await EventProducer.open({ connection, clientId: topic })
  for (let number = 0; number < 10; number += 1) producer.produce(record(topic, number))
  await producer.acknowledged()
  const member = listening()
  let fetchedBytes = 0
  const reader = createLogReader(kind, {
    connection,
    clientId: topic,
    groupId: topic,
    topics: [topic],
    onWarning: () => undefined,
    onStatistics: member.onStatistics,
    fetches: {
      fetched: (bytes) => {
        fetchedBytes += bytes
      },
      failed: () => undefined,
    },
  })
  const stopping = new AbortController()
  let read = 0
  const running = reader.run(
    {
      assigned: async (partitions) => partitions.map((each) => ({ ...each, offset: 0 })),
      revoked: async () => undefined,
      process: async (records) => {
        read += records.length
      },
    },
    stopping.signal,
  )
  await waitUntil('10 records', () => read === 10)
  const told = await member.until(
    'a broker',
    ({ brokersConnected, receivedMessages }) =>
      brokersConnected === 1 && (kind === 'fetch' || receivedMessages === 10),
  )
  expect(reader.readUpTo(topic, 0)).toBe(10)
  const isByLibrdkafka = kind === 'librdkafka'
  expect({
    isReceivedByLibrdkafka: told.receivedMessages > 0,
    isFetched: fetchedBytes > 0,
    waiting: reader.fetchQueue?.bytes,
  }).toEqual({
    isReceivedByLibrdkafka: isByLibrdkafka,
    isFetched: !isByLibrdkafka,
    waiting: isByLibrdkafka ? undefined : 0,
  })
  stopping.abort()
  await running
})
