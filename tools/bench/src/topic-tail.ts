import kafka from '@confluentinc/kafka-javascript'
import type { KafkaConsumer, Message } from '@confluentinc/kafka-javascript'

import { defaultPartitions } from '@tickertape/kafka-avro'
import type { RunningStack } from '@tickertape/stack'

/** Reads a new topic from its beginning as it is written, each record as soon as the broker gives it. */
export class TopicTail implements AsyncDisposable {
  readonly #consumer: KafkaConsumer

  private constructor(consumer: KafkaConsumer) {
    this.#consumer = consumer
  }

  /** Of a transactional topic only what is committed. */
  static async open(stack: RunningStack, topic: string): Promise<TopicTail> {
    // The package is CommonJS whose names Node cannot see: values come from its default export.
    const consumer = new kafka.KafkaConsumer(
      {
        'bootstrap.servers': stack.kafkaBrokers,
        'group.id': `${topic}-tail`,
        'enable.auto.commit': false,
        'isolation.level': 'read_committed',
        // The broker answers as soon as there is one byte.
        'fetch.min.bytes': 1,
        'fetch.wait.max.ms': 500,
      },
      { 'auto.offset.reset': 'error' },
    )
    await new Promise<void>((resolve, reject) => {
      consumer.connect({ timeout: 30_000 }, (error) => (error ? reject(error) : resolve()))
    })
    consumer.assign(
      Array.from({ length: defaultPartitions }, (_, partition) => ({
        topic,
        partition,
        offset: 0,
      })),
    )
    consumer.setDefaultConsumeTimeout(100)
    // Without this a read goes on collecting for as long as records trickle in. The method is not in
    // the package's types.
    const untyped = consumer as unknown as {
      setDefaultIsTimeoutOnlyForFirstMessage(only: boolean): void
    }
    untyped.setDefaultIsTimeoutOnlyForFirstMessage(true)
    return new TopicTail(consumer)
  }

  /** What has come; nothing if nothing comes within 100 ms. */
  next(): Promise<readonly Message[]> {
    return new Promise((resolve, reject) => {
      // The binding's errors are objects of its own.
      this.#consumer.consume(1_000, (error: unknown, messages: Message[]) =>
        error ? reject(error) : resolve(messages),
      )
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#consumer.disconnect(() => resolve()))
  }
}
