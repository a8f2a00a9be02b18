import {
  EventProducer,
  Registry,
  Serializer,
  partitionOf,
  topicName,
  topicOffsets,
} from '@tickertape/kafka-avro'
import { instrumentIdOf } from '@tickertape/market-model'
import type { InstrumentStatus, SequenceGap, Trade } from '@tickertape/market-model'
import type { TestStack } from '@tickertape/testing'

/** Writes records of its own into a road's market-events: what a venue would have to be waited for. */
export class MarketAppender implements AsyncDisposable {
  readonly #producer: EventProducer
  readonly #serializer: Serializer<'market-events'>
  readonly #topic: string
  readonly #partitions: number

  private constructor(
    producer: EventProducer,
    serializer: Serializer<'market-events'>,
    topic: string,
    partitions: number,
  ) {
    this.#producer = producer
    this.#serializer = serializer
    this.#topic = topic
    this.#partitions = partitions
  }

  static async open(
    { kafkaBrokers, registryUrl }: TestStack,
    topicPrefix: string,
  ): Promise<MarketAppender> {
    const connection = { brokers: kafkaBrokers }
    const topic = topicName('market-events', topicPrefix)
    const registry = new Registry({ url: registryUrl }, topicPrefix)
    const serializer = new Serializer('market-events', await registry.register('market-events'))
    const partitions = (await topicOffsets(connection, topic)).length
    const producer = await EventProducer.open({ connection, clientId: `${topicPrefix}appender` })
    return new MarketAppender(producer, serializer, topic, partitions)
  }

  trade(value: Trade): Promise<void> {
    return this.#append(instrumentIdOf(value), this.#serializer.serialize({ type: 'Trade', value }))
  }

  /** @param instrumentId the gap's. */
  gap(instrumentId: string, gap: Omit<SequenceGap, 'instrumentId'>): Promise<void> {
    const value = { ...gap, instrumentId }
    return this.#append(instrumentId, this.#serializer.serialize({ type: 'SequenceGap', value }))
  }

  async listings(statuses: readonly InstrumentStatus[]): Promise<void> {
    for (const value of statuses) {
      this.#produce(
        value.instrumentId,
        this.#serializer.serialize({ type: 'InstrumentStatus', value }),
      )
    }
    await this.#producer.acknowledged()
  }

  async #append(key: string, value: Buffer): Promise<void> {
    this.#produce(key, value)
    await this.#producer.acknowledged()
  }

  #produce(key: string, value: Buffer): void {
    const partition = partitionOf(key, this.#partitions)
    this.#producer.produce({ topic: this.#topic, partition, key, value })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#producer[Symbol.asyncDispose]()
  }
}
