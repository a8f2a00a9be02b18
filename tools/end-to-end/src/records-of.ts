import {
  DecodeFailure,
  Deserializer,
  Registry,
  defaultPartitions,
  readPartition,
  topicName,
} from '@tickertape/kafka-avro'
import type { Topic, TopicRecords } from '@tickertape/kafka-avro'
import type { TestStack } from '@tickertape/testing'

export interface LoggedRecord<T extends keyof TopicRecords & Topic> {
  readonly record: TopicRecords[T]
  /** Kafka's time of append, in ms since the epoch. */
  readonly appendedAt: number
}

/**
 * Reads a topic of an installation from its beginning to its end, partition by partition.
 *
 * @throws Error for a record that cannot be read.
 */
export async function* recordsOf<T extends keyof TopicRecords & Topic>(
  stack: TestStack,
  prefix: string,
  topic: T,
): AsyncGenerator<LoggedRecord<T>> {
  const deserializer = new Deserializer(topic, new Registry({ url: stack.registryUrl }, prefix))
  for (let partition = 0; partition < defaultPartitions; partition += 1) {
    const range = {
      topic: topicName(topic, prefix),
      partition,
      from: 'earliest',
      to: 'end',
    } as const
    for await (const batch of readPartition(
      { connection: { brokers: stack.kafkaBrokers }, clientId: 'log-reader' },
      range,
    )) {
      await deserializer.prepare(batch.map(({ value }) => value))
      for (const { value, timestamp = 0 } of batch) {
        const record = deserializer.deserialize(value)
        if (record instanceof DecodeFailure) throw new Error(record.message)
        yield { record, appendedAt: timestamp }
      }
    }
  }
}
