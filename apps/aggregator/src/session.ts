import type { PartitionAggregation } from '@tickertape/candles'
import {
  DecodeFailure,
  Deserializer,
  GroupReader,
  Registry,
  Serializer,
  TransactionalProducer,
  rejectedHeaders,
  requireTopics,
  topicName,
} from '@tickertape/kafka-avro'
import type {
  Message,
  PartitionHandlers,
  TopicPartition,
  TopicPartitionOffset,
} from '@tickertape/kafka-avro'
import type { Candle } from '@tickertape/market-model'

import { partitionKey } from './changelog.ts'
import type { AggregatorConfig } from './config.ts'
import type { AggregatorEvents } from './events.ts'
import { restorePartition } from './restore.ts'

export interface SessionDependencies {
  readonly config: AggregatorConfig
  readonly events: AggregatorEvents
  readonly registry: Registry
  readonly schemaIds: { readonly candles: number; readonly state: number }
}

/**
 * One membership in the group with one transactional producer: from joining to the signal or the first
 * fault. State lives no longer than its session, so what is in memory is always what the committed
 * offsets and the changelog say, plus the open transaction.
 *
 * @throws KafkaAvroError; what was not committed has no effect then.
 */
export async function runSession(
  config: AggregatorConfig,
  events: AggregatorEvents,
  signal: AbortSignal,
): Promise<void> {
  const { brokers, topicPrefix } = config.kafka
  await requireTopics(brokers, topicPrefix, [
    'market-events',
    'candles',
    'aggregator-state',
    'rejected',
  ])
  const registry = new Registry(config.registryUrl, topicPrefix)
  const schemaIds = {
    candles: await registry.register('candles'),
    state: await registry.register('aggregator-state'),
  }
  const dependencies = { config, events, registry, schemaIds }
  const clientId = `aggregator-${config.kafka.transactionalId}`
  await using producer = await TransactionalProducer.open({
    brokers: config.kafka.brokers,
    clientId,
    transactionalId: config.kafka.transactionalId,
  })
  const reader = new GroupReader({
    brokers: config.kafka.brokers,
    clientId,
    groupId: config.kafka.groupId,
    topics: [topicName('market-events', config.kafka.topicPrefix)],
    maxWaitMs: Math.min(50, config.commit.intervalMs),
    onWarning: (message) => events.kafkaWarning(message),
  })
  await reader.run(new Session(dependencies, producer, reader), signal)
}

interface RejectedRecord {
  readonly message: Message
  readonly reason: string
  readonly text: string
}

class Session implements PartitionHandlers {
  readonly #dependencies: SessionDependencies
  readonly #producer: TransactionalProducer
  readonly #reader: GroupReader
  readonly #marketEvents: Deserializer<'market-events'>
  readonly #candles: Serializer<'candles'>
  readonly #state: Serializer<'aggregator-state'>
  readonly #partitions = new Map<number, PartitionAggregation>()
  /** Next offset of each partition that was read since the last commit. */
  readonly #positions = new Map<number, number>()
  readonly #emitted: { readonly partition: number; readonly candle: Candle }[] = []
  readonly #rejected: RejectedRecord[] = []
  #uncommitted = 0
  #lastCommit = performance.now()

  constructor(
    dependencies: SessionDependencies,
    producer: TransactionalProducer,
    reader: GroupReader,
  ) {
    this.#dependencies = dependencies
    this.#producer = producer
    this.#reader = reader
    this.#marketEvents = new Deserializer('market-events', dependencies.registry)
    this.#candles = new Serializer('candles', dependencies.schemaIds.candles)
    this.#state = new Serializer('aggregator-state', dependencies.schemaIds.state)
  }

  async assigned(partitions: readonly TopicPartition[]): Promise<readonly TopicPartitionOffset[]> {
    const began = performance.now()
    // Stable offsets first, then the changelog up to its end: whoever wrote before us is done by then.
    const committed = await this.#reader.committed(partitions)
    const restored = await Promise.all(
      committed.map(async ({ partition, offset }) => ({
        partition,
        ...(await restorePartition(this.#dependencies, partition, offset)),
      })),
    )
    for (const { partition, aggregation } of restored) this.#partitions.set(partition, aggregation)
    this.#lastCommit = performance.now()
    this.#dependencies.events.partitionsRestored(
      restored.map(({ partition }) => partition),
      (performance.now() - began) / 1000,
      restored.reduce((sum, { replayed }) => sum + replayed, 0),
    )
    const topic = this.#topic('market-events')
    return restored.map(({ partition, position }) => ({ topic, partition, offset: position }))
  }

  async revoked(partitions: readonly TopicPartition[], lost: boolean): Promise<void> {
    if (lost) this.#forget()
    else await this.#commit()
    for (const { partition } of partitions) this.#partitions.delete(partition)
    this.#dependencies.events.partitionsRevoked(
      partitions.map(({ partition }) => partition),
      lost,
    )
  }

  async process(messages: readonly Message[]): Promise<void> {
    await this.#marketEvents.prepare(messages.map(({ value }) => value))
    for (const message of messages) await this.#apply(message)
    const { intervalMs, records } = this.#dependencies.config.commit
    const due = performance.now() - this.#lastCommit >= intervalMs
    if (due || this.#uncommitted >= records) await this.#commit()
  }

  async #apply(message: Message): Promise<void> {
    const aggregation = this.#partitions.get(message.partition)
    // Not ours any more: its next owner reads it from the committed offset.
    if (aggregation === undefined) return
    this.#uncommitted += 1
    const event = this.#marketEvents.deserialize(message.value)
    if (event instanceof DecodeFailure) {
      this.#positions.set(message.partition, message.offset + 1)
      this.#reject(message, event.reason, event.message)
      return
    }
    for (;;) {
      const { outcome, candles, unfinished } = aggregation.apply(event, message.offset)
      for (const candle of candles) this.#emitted.push({ partition: message.partition, candle })
      if (!unfinished) {
        this.#positions.set(message.partition, message.offset + 1)
        this.#dependencies.events.recordApplied(outcome)
        const text = rejections[outcome]
        if (text !== undefined) this.#reject(message, outcome, text)
        return
      }
      // A long catch-up goes out over several transactions, each of which stands before the heartbeat
      // that it is part of: whoever restores it applies the heartbeat again.
      this.#positions.set(message.partition, message.offset)
      await this.#commit()
    }
  }

  #reject(message: Message, reason: string, text: string): void {
    this.#rejected.push({ message, reason, text })
    this.#dependencies.events.recordRejected(reason, text, message)
  }

  async #commit(): Promise<void> {
    this.#lastCommit = performance.now()
    if (this.#positions.size === 0) return
    await this.#producer.begin()
    await this.#produceCandles()
    await this.#produceRejected()
    await this.#produceState()
    const topic = this.#topic('market-events')
    await this.#producer.sendOffsets(
      [...this.#positions].map(([partition, offset]) => ({ topic, partition, offset })),
      this.#reader,
    )
    await this.#producer.commit()
    this.#dependencies.events.committed(
      this.#emitted.map(({ candle }) => candle),
      (performance.now() - this.#lastCommit) / 1000,
    )
    this.#dependencies.events.measured(this.#lags(), this.#openWindows())
    this.#forget()
  }

  async #produceCandles(): Promise<void> {
    const topic = this.#topic('candles')
    for (const { partition, candle } of this.#emitted) {
      const value = this.#candles.serialize(candle)
      await this.#producer.produce({ topic, partition, key: candle.instrumentId, value })
    }
  }

  async #produceRejected(): Promise<void> {
    const topic = this.#topic('rejected')
    for (const { message, reason, text } of this.#rejected) {
      const headers = rejectedHeaders({
        stage: 'aggregator',
        reason,
        message: text,
        topic: message.topic,
        partition: message.partition,
        offset: message.offset,
      })
      const { partition, value } = message
      await this.#producer.produce({ topic, partition, key: message.key ?? null, value, headers })
    }
  }

  async #produceState(): Promise<void> {
    const topic = this.#topic('aggregator-state')
    for (const [partition, offset] of this.#positions) {
      const changes = this.#partitions.get(partition)?.takeChanges(offset)
      if (changes === undefined) continue
      for (const instrument of changes.instruments) {
        const value = this.#state.serialize({ type: 'InstrumentState', value: instrument })
        await this.#producer.produce({ topic, partition, key: instrument.instrumentId, value })
      }
      const value = this.#state.serialize({ type: 'PartitionState', value: changes.partition })
      await this.#producer.produce({ topic, partition, key: partitionKey, value })
    }
  }

  #forget(): void {
    this.#positions.clear()
    this.#emitted.length = 0
    this.#rejected.length = 0
    this.#uncommitted = 0
  }

  #lags(): ReadonlyMap<number, number> {
    const topic = this.#topic('market-events')
    return new Map(
      [...this.#positions].map(([partition, offset]) => {
        const end = this.#reader.lastKnownEnd(topic, partition) ?? offset
        return [partition, Math.max(0, end - offset)]
      }),
    )
  }

  #openWindows(): number {
    return [...this.#partitions.values()].reduce((sum, { openWindows }) => sum + openWindows, 0)
  }

  #topic(topic: Parameters<typeof topicName>[0]): string {
    return topicName(topic, this.#dependencies.config.kafka.topicPrefix)
  }
}

/** Outcomes that send a record to `rejected`, in words. */
const rejections: Readonly<Record<string, string>> = {
  late: 'its window was closed before it came',
  future: 'its time is too far ahead of when it was received',
  invalid: 'price and quantity must be positive',
}
