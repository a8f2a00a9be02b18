import { testStack, uniquePrefix, waitUntil } from '@tickertape/testing'
import { expect, it } from 'vitest'

import { ensureTopics, topicName, topicRetention } from '../src/index.ts'
import type { KafkaConnection } from '../src/index.ts'

const connection = { brokers: testStack().kafkaBrokers }
const dayMs = 86_400_000

/** Topics are made by the controller, and each broker knows of them a moment later. */
async function soon(at: KafkaConnection, topics: readonly string[]) {
  return await waitUntil('the topics', () => topicRetention(at, topics).catch(() => undefined))
}

it('the broker tells how long topics are kept', async () => {
  const prefix = uniquePrefix()
  await ensureTopics({ connection, prefix, partitions: 1 })
  const names = (['market-events', 'rejected', 'candles-live'] as const).map((topic) =>
    topicName(topic, prefix),
  )
  const retention = await soon(connection, names)
  expect(names.map((name) => retention.get(name))).toEqual([7 * dayMs, 28 * dayMs, 600_000])
  await expect(topicRetention(connection, [`${prefix}missing`])).rejects.toMatchObject({
    code: 'broker_unreachable',
  })
})

it('a broker that is away is told, and another one of the list is asked', async () => {
  await expect(topicRetention({ brokers: '127.0.0.1:1' }, ['any'])).rejects.toMatchObject({
    code: 'broker_unreachable',
  })
  const prefix = uniquePrefix()
  await ensureTopics({ connection, prefix, partitions: 1 })
  const topic = topicName('candles', prefix)
  expect((await soon({ brokers: `127.0.0.1:1,${connection.brokers}` }, [topic])).get(topic)).toBe(
    7 * dayMs,
  )
})
