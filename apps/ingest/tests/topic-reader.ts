import { DecodeFailure, Deserializer, readPartition, Registry } from '@tickertape/kafka-avro'
import type { AvroTopic, Message, TopicRecords } from '@tickertape/kafka-avro'
import { testStack } from '@tickertape/testing'
import type { TestStack } from '@tickertape/testing'

/** One record of a topic, where and how it stands there. */
export interface ReadRecord<T> {
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  readonly value: T
}

const partitions = [0, 1, 2, 3]

/** All messages of a topic that were written before the call, partition by partition. */
export async function readMessages(
  topic: string,
  { kafkaBrokers }: Pick<TestStack, 'kafkaBrokers'> = testStack(),
): Promise<readonly Message[]> {
  const read = partitions.map(async (partition) => {
    const messages: Message[] = []
    const log = readPartition(
      { brokers: kafkaBrokers, clientId: 'ingest-test' },
      { topic, partition, from: 'earliest', to: 'end' },
    )
    for await (const batch of log) messages.push(...batch)
    return messages
  })
  return (await Promise.all(read)).flat()
}

/** All records of a topic that were written before the call, partition by partition. */
export async function readRecords<T extends AvroTopic>(
  topic: T,
  prefix: string,
  stack: Pick<TestStack, 'kafkaBrokers' | 'registryUrl'> = testStack(),
): Promise<readonly ReadRecord<TopicRecords[T]>[]> {
  const messages = await readMessages(prefix + topic, stack)
  const deserializer = new Deserializer(topic, new Registry(stack.registryUrl, prefix))
  await deserializer.prepare(messages.map(({ value }) => value))
  return messages.map(({ partition, offset, key, value }) => {
    const record = deserializer.deserialize(value)
    if (record instanceof DecodeFailure) throw new Error(`${topic}: ${record.message}`)
    return {
      partition,
      offset,
      key: key === null || key === undefined ? null : String(key),
      value: record,
    }
  })
}
