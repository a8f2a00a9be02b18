import kafka from '@confluentinc/kafka-javascript'
import type { KafkaJS } from '@confluentinc/kafka-javascript'

import { ensureTopics, topicName, topics } from '@tickertape/kafka-avro'
import type { KafkaConnection } from '@tickertape/kafka-avro'
import { waitUntil } from '@tickertape/testing'

/** An open connection for questions that are asked often. */
export class BenchAdmin implements AsyncDisposable {
  readonly #connection: KafkaConnection
  readonly #admin: KafkaJS.Admin

  private constructor(connection: KafkaConnection, admin: KafkaJS.Admin) {
    this.#connection = connection
    this.#admin = admin
  }

  static async open(connection: KafkaConnection): Promise<BenchAdmin> {
    // The package is CommonJS whose names Node cannot see: values come from its default export.
    const { Kafka, logLevel } = kafka.KafkaJS
    const admin = new Kafka({
      kafkaJS: { brokers: connection.brokers.split(','), logLevel: logLevel.NOTHING },
    }).admin()
    await admin.connect()
    return new BenchAdmin(connection, admin)
  }

  /** Empties every topic of an installation but its log: the next group begins from nothing. */
  async resetOutputs(prefix: string): Promise<void> {
    const outputs = topics
      .filter((topic) => topic !== 'market-events')
      .map((topic) => topicName(topic, prefix))
    const existing = await this.#existing(outputs)
    if (existing.length > 0) await this.#admin.deleteTopics({ topics: [...existing] })
    // The broker goes on listing a topic for a moment, and what is listed is not made anew.
    await waitUntil('old topics to be gone', async () => {
      return (await this.#existing(outputs)).length === 0
    })
    await ensureTopics({ connection: this.#connection, prefix })
    await waitUntil('new topics to be there', async () => {
      return (await this.#existing(outputs)).length === outputs.length
    })
  }

  async #existing(names: readonly string[]): Promise<readonly string[]> {
    const all = new Set(await this.#admin.listTopics())
    return names.filter((name) => all.has(name))
  }

  /** How many records before the ends a group has not committed yet. */
  async uncommitted(
    groupId: string,
    topic: string,
    ends: ReadonlyMap<number, number>,
  ): Promise<number> {
    const [answer] = await this.#admin.fetchOffsets({ groupId, topics: [topic] })
    const committed = new Map(
      (answer?.partitions ?? []).map(({ partition, offset }) => [partition, Number(offset)]),
    )
    return [...ends].reduce(
      (sum, [partition, end]) => sum + end - Math.max(0, committed.get(partition) ?? 0),
      0,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#admin.disconnect()
  }
}
