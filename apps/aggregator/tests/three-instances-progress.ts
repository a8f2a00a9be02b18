import kafka from '@confluentinc/kafka-javascript'
import type { TopicPartitionOffset } from '@confluentinc/kafka-javascript'

/**
 * How far a group has come, asked by a consumer that never joins it. The admin client's question
 * (committedOffsets) ends the process with SIGSEGV where a broker that is just starting answers
 * NOT_COORDINATOR: librdkafka 2.15 hands that answer to the client's consumer group, which an admin
 * client has none of.
 */
export class GroupProgress implements AsyncDisposable {
  readonly #consumer: InstanceType<typeof kafka.KafkaConsumer>
  readonly #positions: readonly { readonly topic: string; readonly partition: number }[]

  private constructor(
    consumer: InstanceType<typeof kafka.KafkaConsumer>,
    positions: readonly { readonly topic: string; readonly partition: number }[],
  ) {
    this.#consumer = consumer
    this.#positions = positions
  }

  static async open(options: {
    readonly brokers: string
    readonly groupId: string
    readonly topic: string
    readonly partitions: number
  }): Promise<GroupProgress> {
    const { brokers, groupId, topic } = options
    const consumer = new kafka.KafkaConsumer(
      { 'bootstrap.servers': brokers, 'group.id': groupId, 'enable.auto.commit': false },
      {},
    )
    // A broker that is away is met by the next question.
    consumer.on('event.error', () => undefined)
    await new Promise<void>((resolve, reject) => {
      consumer.connect({ timeout: 30_000 }, (error) => (error ? reject(error) : resolve()))
    })
    const all = Array.from({ length: options.partitions }, (_, partition) => ({ topic, partition }))
    return new GroupProgress(consumer, all)
  }

  /** Records behind the committed offsets, over all partitions. */
  async done(): Promise<number> {
    const committed = await new Promise<TopicPartitionOffset[]>((resolve, reject) => {
      this.#consumer.committed([...this.#positions], 5_000, (error, offsets) =>
        error ? reject(error) : resolve(offsets),
      )
    })
    // The offset is left out, or negative, where there is none.
    return committed.reduce((sum, { offset }) => sum + Math.max(0, offset ?? 0), 0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#consumer.disconnect(() => resolve())
    })
  }
}
