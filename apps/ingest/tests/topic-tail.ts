import {
  DecodeFailure,
  Deserializer,
  Registry,
  defaultPartitions,
  fetchPartition,
  topicName,
} from '@tickertape/kafka-avro'
import type { AvroTopic, KafkaConnection, LogRecord, TopicRecords } from '@tickertape/kafka-avro'
import { testStack } from '@tickertape/testing'
import type { TestStack } from '@tickertape/testing'

/** One record of a topic, where and how it stands there. */
export interface ReadRecord<T> {
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  readonly value: T
}

type KafkaAndRegistry = Pick<TestStack, 'kafkaBrokers' | 'registryUrl'>

/**
 * A topic as far as it was read: each question reads only what was written since the last one, so that a
 * test may ask again and again of a long log.
 */
export class TopicTail {
  readonly #connection: KafkaConnection
  readonly #topic: string
  readonly #next = new Map<number, number>()
  readonly #messages: LogRecord[] = []
  #lastRead: Promise<unknown> = Promise.resolve()

  /** @param topic by its full name. */
  constructor(topic: string, { kafkaBrokers }: Pick<TestStack, 'kafkaBrokers'> = testStack()) {
    this.#topic = topic
    this.#connection = { brokers: kafkaBrokers }
  }

  /**
   * Everything that was written before the call, in the order of each partition; of transactions what is
   * committed.
   *
   * @returns the same list each time, which grows.
   */
  read(): Promise<readonly LogRecord[]> {
    const read = this.#lastRead.then(() => this.#readOn())
    this.#lastRead = read.catch(() => undefined)
    return read
  }

  async #readOn(): Promise<readonly LogRecord[]> {
    const partitions = Array.from({ length: defaultPartitions }, (_, partition) => partition)
    const read = await Promise.all(partitions.map((partition) => this.#readPartition(partition)))
    for (const messages of read) for (const each of messages) this.#messages.push(each)
    return this.#messages
  }

  async #readPartition(partition: number): Promise<readonly LogRecord[]> {
    const messages: LogRecord[] = []
    const from = this.#next.get(partition) ?? 'earliest'
    const range = { topic: this.#topic, partition, from, to: 'end' } as const
    const options = { connection: this.#connection, clientId: 'test-tail' }
    for await (const batch of fetchPartition(options, range)) {
      for (const { headers, key, offset, value } of batch) {
        // A view of what was fetched would keep all of that in memory.
        const copy = value === null ? null : Buffer.from(value)
        messages.push({ topic: this.#topic, partition, offset, key, value: copy, headers })
      }
    }
    const last = messages.at(-1)
    if (last !== undefined) this.#next.set(partition, last.offset + 1)
    return messages
  }
}

/** A tail of records in one of our schemas; what takes a key's records away is left out. */
export class RecordTail<T extends AvroTopic> {
  readonly #topic: T
  readonly #tail: TopicTail
  readonly #deserializer: Deserializer<T>
  readonly #records: ReadRecord<TopicRecords[T]>[] = []
  /** What a compacted topic has of each key. */
  readonly #latest = new Map<string | null, TopicRecords[T]>()
  #readTo = 0
  #lastRead: Promise<unknown> = Promise.resolve()

  constructor(topic: T, prefix: string, stack: KafkaAndRegistry = testStack()) {
    this.#topic = topic
    this.#tail = new TopicTail(topicName(topic, prefix), stack)
    this.#deserializer = new Deserializer(topic, new Registry({ url: stack.registryUrl }, prefix))
  }

  /**
   * As TopicTail's.
   *
   * @throws Error for a record that cannot be read.
   */
  read(): Promise<readonly ReadRecord<TopicRecords[T]>[]> {
    const read = this.#lastRead.then(() => this.#readOn())
    this.#lastRead = read.catch(() => undefined)
    return read
  }

  /** The last record of each key that stands. */
  async latest(): Promise<readonly TopicRecords[T][]> {
    await this.read()
    return [...this.#latest.values()]
  }

  async #readOn(): Promise<readonly ReadRecord<TopicRecords[T]>[]> {
    const messages = (await this.#tail.read()).slice(this.#readTo)
    await this.#deserializer.prepare(messages.map(({ value }) => value))
    for (const { key, offset, partition, value } of messages) {
      const text = key === null || key === undefined ? null : String(key)
      this.#readTo += 1
      if (value === null) {
        this.#latest.delete(text)
        continue
      }
      const record = this.#deserializer.deserialize(value)
      if (record instanceof DecodeFailure) throw new Error(`${this.#topic}: ${record.message}`)
      this.#latest.set(text, record)
      this.#records.push({ partition, offset, key: text, value: record })
    }
    return this.#records
  }
}
