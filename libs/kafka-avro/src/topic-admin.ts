import { setTimeout as delay } from 'node:timers/promises'

import type { KafkaJS } from '@confluentinc/kafka-javascript'

import {
  call,
  connect,
  connectFailure,
  connectionSettings,
  disconnect,
  requireAccess,
  securitySettings,
} from './connection.ts'
import { KafkaAvroError, messageOf } from './errors.ts'
import type { KafkaConnection } from './kafka-connection.ts'
import { Kafka, KafkaConsumer, logLevel } from './librdkafka.ts'
import { defaultPartitions, topicName, topicSettings, topics } from './topics.ts'
import type { Topic } from './topics.ts'

/** How long brokers may take to know of a topic that was made, in ms. */
const knownWithinMs = 10_000
const askedEveryMs = 20

export interface EnsureTopicsOptions {
  readonly connection: KafkaConnection
  readonly prefix?: string
  readonly partitions?: number
  readonly replicationFactor?: number
}

/** Creates the topics that are missing. What exists stays as it is. */
export async function ensureTopics(options: EnsureTopicsOptions): Promise<void> {
  await withAdmin(options.connection, async (admin) => {
    const existing = new Set(await admin.listTopics())
    const missing = topics
      .map((topic) => ({ topic, name: topicName(topic, options.prefix ?? '') }))
      .filter(({ name }) => !existing.has(name))
    if (missing.length === 0) return
    await admin.createTopics({
      topics: missing.map(({ topic, name }) => ({
        topic: name,
        numPartitions: options.partitions ?? defaultPartitions,
        replicationFactor: options.replicationFactor ?? 1,
        configEntries: Object.entries(topicSettings[topic]).map(([key, value]) => ({
          name: key,
          value,
        })),
      })),
    })
    await untilKnown(admin, missing)
  })
}

/**
 * Made means that the controller has decided on it: brokers answer for a moment that there is no such topic.
 *
 * @throws the last answer after some seconds.
 */
async function untilKnown(
  admin: KafkaJS.Admin,
  topics: readonly { readonly name: string }[],
): Promise<void> {
  const giveUpAt = performance.now() + knownWithinMs
  for (const { name } of topics) {
    for (;;) {
      try {
        await admin.fetchTopicOffsets(name)
        break
      } catch (error) {
        if (performance.now() > giveUpAt) throw error
        await delay(askedEveryMs)
      }
    }
  }
}

/**
 * Checks that topics exist and share one partition count: an instrument lives in one partition
 * everywhere.
 *
 * @returns the partition count.
 * @throws KafkaAvroError `topic_missing`, `partition_count_differs` or `broker_unreachable`.
 */
export async function requireTopics(
  connection: KafkaConnection,
  prefix: string,
  wanted: readonly Topic[],
): Promise<number> {
  return await withAdmin(connection, async (admin) => {
    const existing = new Set(await admin.listTopics())
    const names = wanted.map((topic) => topicName(topic, prefix))
    const missing = names.filter((name) => !existing.has(name))
    if (missing.length > 0) {
      throw new KafkaAvroError(
        'topic_missing',
        `Kafka at ${connection.brokers} has no topic ${missing.join(', ')}: create the topics first (the local stack does), or check TOPIC_PREFIX ("${prefix}")`,
      )
    }
    // With topics named, the metadata is the list of them (the other shape is for {}).
    const metadata = (await admin.fetchTopicMetadata({ topics: names })) as unknown as
      | { topics: { name: string; partitions: unknown[] }[] }
      | { name: string; partitions: unknown[] }[]
    const described = Array.isArray(metadata) ? metadata : metadata.topics
    const counts = new Map(described.map((topic) => [topic.name, topic.partitions.length]))
    const distinct = new Set(counts.values())
    const [count] = distinct
    if (distinct.size !== 1 || count === undefined) {
      const listed = [...counts].map(([name, n]) => `${name}: ${n}`).join(', ')
      throw new KafkaAvroError(
        'partition_count_differs',
        `Topics must have the same number of partitions, but Kafka at ${connection.brokers} has ${listed}: recreate them as one generation`,
      )
    }
    return count
  })
}

/** First offset and end offset (the next to be written) of every partition. */
export async function topicOffsets(
  connection: KafkaConnection,
  topic: string,
): Promise<readonly { partition: number; low: number; high: number }[]> {
  return await withAdmin(connection, async (admin) => {
    const offsets = await admin.fetchTopicOffsets(topic)
    return offsets.map(({ partition, low, high }) => ({
      partition,
      low: Number(low),
      high: Number(high),
    }))
  })
}

/** By partition, the first offset that was appended at a time or later; the end offset where none was. */
export async function offsetsAtTime(
  connection: KafkaConnection,
  topic: string,
  time: number,
): Promise<ReadonlyMap<number, number>> {
  return await withAdmin(connection, async (admin) => {
    const offsets = await admin.fetchTopicOffsetsByTimestamp(topic, time)
    return new Map(offsets.map(({ partition, offset }) => [partition, Number(offset)]))
  })
}

/**
 * A group's committed offset by partition; partitions without one are left out.
 *
 * Asked by a consumer of the group that never joins it: librdkafka's admin client ends the process by a
 * segmentation fault if the group's coordinator is only just starting (2.15, OffsetFetch answered
 * NOT_COORDINATOR).
 *
 * @throws KafkaAvroError `broker_unreachable`, `reading_failed`.
 */
export async function committedOffsets(
  connection: KafkaConnection,
  groupId: string,
  topic: string,
): Promise<ReadonlyMap<number, number>> {
  const consumer = new KafkaConsumer(
    {
      ...connectionSettings(connection, `${groupId}-offsets`),
      'group.id': groupId,
      'enable.auto.commit': false,
      'isolation.level': 'read_uncommitted',
    },
    {},
  )
  await connect(consumer, connection)
  try {
    const { topics } = await call<{ topics: { name: string; partitions: { id: number }[] }[] }>(
      (done) => consumer.getMetadata({ topic, timeout: timeoutMs }, done),
    )
    const partitions = topics.find(({ name }) => name === topic)?.partitions ?? []
    const asked = partitions.map(({ id }) => ({ topic, partition: id }))
    const answer = await call<{ partition: number; offset?: number }[]>((done) =>
      consumer.committed(asked, timeoutMs, done),
    )
    return new Map(
      answer.flatMap(({ partition, offset }) =>
        // The binding leaves the offset out, or negative, where there is none.
        typeof offset === 'number' && offset >= 0 ? [[partition, offset] as const] : [],
      ),
    )
  } catch (error) {
    throw new KafkaAvroError(
      'reading_failed',
      `Could not ask what group ${groupId} has committed of ${topic} (${messageOf(error)})`,
      { cause: error },
    )
  } finally {
    await disconnect(consumer)
  }
}

const timeoutMs = 10_000

async function withAdmin<T>(
  connection: KafkaConnection,
  use: (admin: KafkaJS.Admin) => Promise<T>,
): Promise<T> {
  await requireAccess(connection)
  const admin = new Kafka({
    ...securitySettings(connection),
    // The broker list is wanted here; librdkafka's own log would go to stderr line by line.
    kafkaJS: { brokers: connection.brokers.split(','), logLevel: logLevel.NOTHING },
  }).admin()
  try {
    await admin.connect()
    return await use(admin)
  } catch (error) {
    throw await connectFailure(connection, error)
  } finally {
    await admin.disconnect()
  }
}
