import { testStack, uniquePrefix, waitUntil } from '@tickertape/testing'
import { expect, it } from 'vitest'

import { EventProducer, ensureTopics, tailPartition, topicName } from '../src/index.ts'

const { kafkaBrokers: brokers } = testStack()

it('a partition that is followed brings what it has and what comes, until it is told to stop', async () => {
  const prefix = uniquePrefix()
  await ensureTopics({ brokers, prefix, partitions: 1 })
  const topic = topicName('feed-cursors', prefix)
  await using producer = await EventProducer.open({ brokers, clientId: 'tail-test', lingerMs: 0 })
  const write = async (text: string): Promise<void> => {
    producer.produce({ topic, partition: 0, key: text, value: Buffer.from(text) })
    await producer.acknowledged()
  }
  await write('before')
  await write('from here')
  const stop = new AbortController()
  const read: string[] = []
  const following = (async () => {
    const options = { brokers, clientId: 'tail-test' }
    const tail = tailPartition(options, { topic, partition: 0, from: 1 }, stop.signal)
    for await (const records of tail) read.push(...records.map(({ value }) => String(value)))
  })()
  await waitUntil('what was there', () => read.length === 1)
  await write('afterwards')
  await waitUntil('what came', () => read.length === 2)
  stop.abort()
  await following
  expect(read).toEqual(['from here', 'afterwards'])
})
