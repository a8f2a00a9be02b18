import { EventProducer, topicName } from '@tickertape/kafka-avro'
import type { OutgoingRecord, Serializer } from '@tickertape/kafka-avro'
import type { PartitionAggregation } from '@tickertape/candles'
import type { Candle } from '@tickertape/market-model'
import { endDelivered, messagingAttributes, withTraceparent } from '@tickertape/tracing'
import type { SpanContext, Tracing } from '@tickertape/tracing'

import type { AggregatorConfig } from './config.ts'
import type { AggregatorEvents } from './events.ts'
import type { PartitionTraces } from './partition-traces.ts'
import { candleAttributes } from './transaction-traces.ts'

/** A partition whose open windows are worth showing: one that lags behind would show the past. */
export interface LivePartition {
  readonly partition: number
  readonly aggregation: Pick<PartitionAggregation, 'takeLiveCandles'>
  readonly traces: PartitionTraces | undefined
}

/** Candles in progress that Kafka has not acknowledged: more are dropped, for newer ones follow. */
const maxInFlight = 20_000
/** A round may take this share of the time: many instruments get their candles less often. */
const shareOfTime = 0.1
const reopenMs = 5_000

/**
 * Writes candles of open windows to candles-live: a hint for screens, outside of any transaction. Whatever
 * happens here, the candles themselves go on.
 */
export class LiveCandles implements AsyncDisposable {
  readonly #config: AggregatorConfig
  readonly #events: AggregatorEvents
  readonly #serializer: Serializer<'candles-live'>
  readonly #tracing: Tracing
  readonly #topic: string
  #producer: EventProducer | undefined
  #opening: Promise<void> | undefined
  #closed = false
  #nextRound = 0
  #reopenAt = 0

  constructor(
    config: AggregatorConfig,
    events: AggregatorEvents,
    serializer: Serializer<'candles-live'>,
    tracing: Tracing,
  ) {
    this.#config = config
    this.#events = events
    this.#serializer = serializer
    this.#tracing = tracing
    this.#topic = topicName('candles-live', config.kafka.topicPrefix)
  }

  /** Writes what changed since the last round, if it is time for one. */
  publish(partitions: Iterable<LivePartition>): void {
    const began = performance.now()
    if (began < this.#nextRound) return
    const producer = this.#producer
    if (producer === undefined) {
      this.#events.liveWaiting(0, maxInFlight)
      this.#open(began)
      return
    }
    try {
      for (const partition of partitions) this.#publishPartition(producer, partition)
    } catch (error) {
      this.#fail(producer, error)
    }
    this.#events.liveWaiting(producer.inFlight, maxInFlight)
    const spent = performance.now() - began
    this.#nextRound = began + Math.max(this.#config.liveIntervalMs, spent / shareOfTime)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    await this.#opening
    await this.#producer?.[Symbol.asyncDispose]()
  }

  #publishPartition(
    producer: EventProducer,
    { partition, aggregation, traces }: LivePartition,
  ): void {
    const candles = aggregation.takeLiveCandles()
    const room = Math.max(0, maxInFlight - producer.inFlight)
    for (const candle of room < candles.length ? candles.slice(0, room) : candles) {
      const value = this.#serializer.serialize(candle)
      const record = { topic: this.#topic, partition, key: candle.instrumentId, value }
      const parent = traces?.takeNews(candle)
      if (parent === undefined) producer.produce(record)
      else this.#produceTraced(producer, record, candle, parent)
    }
    const published = Math.min(room, candles.length)
    if (published > 0) this.#events.livePublished(published)
    if (published < candles.length) this.#events.liveDropped(candles.length - published)
  }

  #produceTraced(
    producer: EventProducer,
    record: OutgoingRecord,
    candle: Candle,
    parent: SpanContext,
  ): void {
    const span = this.#tracing.start('send candles-live', {
      kind: 'producer',
      parent,
      attributes: {
        ...messagingAttributes({ operation: 'send', ...record }),
        ...candleAttributes(candle),
      },
    })
    const headers = withTraceparent(undefined, span.context)
    producer.produce({ ...record, headers }, (delivered) => endDelivered(span, delivered))
  }

  /** In the background: the transaction's path waits for nothing here. */
  #open(now: number): void {
    if (this.#opening !== undefined || this.#closed || now < this.#reopenAt) return
    const { connection, transactionalId } = this.#config.kafka
    this.#opening = EventProducer.open({
      connection,
      clientId: `${transactionalId}-live`,
      onStatistics: this.#events.kafka.librdkafka('live'),
    })
      .then((producer) => {
        this.#producer = producer
        producer.failed.catch((error: unknown) => this.#fail(producer, error))
      })
      .catch((error: unknown) => this.#fail(undefined, error))
      .finally(() => {
        this.#opening = undefined
      })
  }

  #fail(producer: EventProducer | undefined, error: unknown): void {
    this.#events.liveFailed(error)
    this.#reopenAt = performance.now() + reopenMs
    if (producer === undefined || this.#producer !== producer) return
    this.#producer = undefined
    this.#opening = producer[Symbol.asyncDispose]().finally(() => {
      this.#opening = undefined
    })
  }
}
