import kafka from '@confluentinc/kafka-javascript'
import type { KafkaJS, LibrdKafkaError } from '@confluentinc/kafka-javascript'

import { ensureTopics, topicName } from '@tickertape/kafka-avro'
import type { Topic } from '@tickertape/kafka-avro'
import { testStack, waitUntil } from '@tickertape/testing'

import { partitions } from './market-log.ts'
import type { MarketLog } from './market-log.ts'

/** What operators and accidents do to a cluster behind a stopped service's back. */
export function groupOf(log: MarketLog): string {
  return `${log.prefix}aggregator`
}

export async function deleteGroup(log: MarketLog): Promise<void> {
  await withAdmin(async (admin) => {
    await whenEmpty(admin, log)
    await admin.deleteGroups([groupOf(log)])
  })
}

/** The group's next offset of one partition of market-events. */
export async function moveOffset(
  log: MarketLog,
  partition: number,
  move: (committed: number) => number,
): Promise<void> {
  const topic = topicName('market-events', log.prefix)
  const committed = await withAdmin(async (admin) => {
    await whenEmpty(admin, log)
    const [answer] = await admin.fetchOffsets({ groupId: groupOf(log), topics: [topic] })
    const found = answer?.partitions.find((candidate) => candidate.partition === partition)
    return Number(found?.offset)
  })
  const consumer = new kafka.KafkaConsumer(
    {
      'bootstrap.servers': testStack().kafkaBrokers,
      'group.id': groupOf(log),
      'enable.auto.commit': false,
    },
    {},
  )
  await done((callback) => consumer.connect({}, callback))
  try {
    consumer.commitSync([{ topic, partition, offset: move(committed) }])
  } finally {
    await done((callback) => consumer.disconnect(callback))
  }
}

/** Deletes the records of one partition before an offset; -1 for all. */
export async function deleteRecords(
  log: MarketLog,
  topic: Topic,
  partition: number,
  before: number,
): Promise<void> {
  await withAdmin((admin) =>
    admin.deleteTopicRecords({
      topic: topicName(topic, log.prefix),
      partitions: [{ partition, offset: String(before) }],
    }),
  )
}

export async function deleteTopic(log: MarketLog, topic: Topic): Promise<void> {
  const name = topicName(topic, log.prefix)
  await withAdmin(async (admin) => {
    await admin.deleteTopics({ topics: [name] })
    await waitUntil('the topic to be gone', async () => !(await admin.listTopics()).includes(name))
  })
}

/** Deletes a topic and makes it anew, empty. */
export async function makeTopicAnew(log: MarketLog, topic: Topic): Promise<void> {
  const name = topicName(topic, log.prefix)
  await deleteTopic(log, topic)
  const connection = { brokers: testStack().kafkaBrokers }
  // For some moments the broker still finds the name taken.
  await waitUntil('the new topic', async () => {
    await ensureTopics({ connection, prefix: log.prefix, partitions })
    return withAdmin(async (admin) => (await admin.listTopics()).includes(name))
  })
}

/** A member that has just left is gone when the broker has taken note of it. */
async function whenEmpty(admin: KafkaJS.Admin, log: MarketLog): Promise<void> {
  await waitUntil('the group to be empty', async () => {
    const { groups } = await admin.describeGroups([groupOf(log)])
    return groups.every(({ members }) => members.length === 0)
  })
}

async function withAdmin<T>(use: (admin: KafkaJS.Admin) => Promise<T>): Promise<T> {
  // The package is CommonJS whose names Node cannot see: values come from its default export.
  const { Kafka, logLevel } = kafka.KafkaJS
  const brokers = testStack().kafkaBrokers.split(',')
  const admin = new Kafka({ kafkaJS: { brokers, logLevel: logLevel.NOTHING } }).admin()
  await admin.connect()
  try {
    return await use(admin)
  } finally {
    await admin.disconnect()
  }
}

function done(run: (callback: (error: LibrdKafkaError | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    run((error) => (error ? reject(error) : resolve()))
  })
}
