import {
  DecodeFailure,
  Deserializer,
  readPartition,
  topicName,
  topicOffsets,
} from '@tickertape/kafka-avro'
import type { KafkaConnection, Registry } from '@tickertape/kafka-avro'

/** Counts the candles that rebuilds write from now on, as far as they are committed. */
export class RebuiltCandles {
  readonly #connection: KafkaConnection
  readonly #topic: string
  readonly #deserializer: Deserializer<'candles'>
  /** Next offset of each partition. */
  readonly #positions: Map<number, number>
  /** By partition and rebuildId, then by interval. */
  readonly #counts = new Map<string, Map<string, number>>()

  private constructor(
    connection: KafkaConnection,
    topic: string,
    registry: Registry,
    positions: Map<number, number>,
  ) {
    this.#connection = connection
    this.#topic = topic
    this.#deserializer = new Deserializer('candles', registry)
    this.#positions = positions
  }

  static async open(
    connection: KafkaConnection,
    prefix: string,
    registry: Registry,
  ): Promise<RebuiltCandles> {
    const topic = topicName('candles', prefix)
    const ends = await topicOffsets(connection, topic)
    const positions = new Map(ends.map(({ partition, high }) => [partition, high]))
    return new RebuiltCandles(connection, topic, registry, positions)
  }

  /** Reads what has been committed since the last call. */
  async readOn(): Promise<void> {
    await Promise.all(
      [...this.#positions.keys()].map((partition) => this.#readPartition(partition)),
    )
  }

  count(partition: number, rebuildId: number): number {
    let sum = 0
    for (const count of this.#of(partition, rebuildId).values()) sum += count
    return sum
  }

  describe(partition: number, rebuildId: number): string {
    const intervals = [...this.#of(partition, rebuildId)].map(
      ([interval, count]) => `${interval} ${count}`,
    )
    const detail = intervals.length === 0 ? '' : ` (${intervals.join(', ')})`
    return `${this.count(partition, rebuildId)} candles${detail}`
  }

  async #readPartition(partition: number): Promise<void> {
    const from = this.#positions.get(partition) ?? 0
    const batches = readPartition(
      { connection: this.#connection, clientId: 'rebuild' },
      { topic: this.#topic, partition, from, to: 'end' },
    )
    for await (const messages of batches) {
      await this.#deserializer.prepare(messages.map(({ value }) => value))
      for (const { value, offset } of messages) {
        this.#positions.set(partition, offset + 1)
        const candle = this.#deserializer.deserialize(value)
        if (candle instanceof DecodeFailure || candle.rebuildId === null) continue
        const counts = this.#of(partition, candle.rebuildId)
        counts.set(candle.interval, (counts.get(candle.interval) ?? 0) + 1)
      }
    }
  }

  #of(partition: number, rebuildId: number): Map<string, number> {
    const key = `${partition} ${rebuildId}`
    const counts = this.#counts.get(key) ?? new Map<string, number>()
    this.#counts.set(key, counts)
    return counts
  }
}
