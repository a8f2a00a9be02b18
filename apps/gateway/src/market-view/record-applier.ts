import { DecodeFailure, Deserializer, MarketEventReader } from '@tickertape/kafka-avro'
import type { LogRecord, Registry } from '@tickertape/kafka-avro'
import type { Candle } from '@tickertape/market-model'
import type { SpanContext } from '@tickertape/tracing'

import type { MarketUpdate } from '../market-view.ts'
import type { AppliedBatch, MarketViewEvents } from './events.ts'
import type { FlowMeter } from './flow-meter.ts'
import type { MarketMemory, RecordOutcome } from './market-memory.ts'
import type { RecordTraces } from './record-traces.ts'

export interface ViewTopics {
  readonly candles: string
  readonly openCandles: string
  readonly marketEvents: string
}

export interface AppliedRecords {
  readonly updates: readonly MarketUpdate[]
  /** When Kafka took the oldest record that brought one of them, in ms since the epoch. */
  readonly appendedAt: number | undefined
  /** Where the traces stand that some of the updates are part of; undefined: none is. */
  readonly sampled: ReadonlyMap<MarketUpdate, SpanContext> | undefined
}

export interface ApplierParts {
  readonly events: MarketViewEvents
  readonly flow: FlowMeter
  readonly traces: RecordTraces
}

/** Decodes records and applies them to a memory. What cannot be used is told of and left out. */
export class RecordApplier {
  readonly #topics: ViewTopics
  readonly #events: MarketViewEvents
  readonly #flow: FlowMeter
  readonly #traces: RecordTraces
  readonly #marketEvents: MarketEventReader
  readonly #candles: Deserializer<'candles'>

  constructor(registry: Registry, topics: ViewTopics, { events, flow, traces }: ApplierParts) {
    this.#topics = topics
    this.#events = events
    this.#flow = flow
    this.#traces = traces
    this.#marketEvents = new MarketEventReader(registry)
    this.#candles = new Deserializer('candles', registry)
  }

  /**
   * Fetches the writers' schemas that records need.
   *
   * @throws KafkaAvroError `registry_unreachable`.
   */
  async prepare(records: readonly LogRecord[]): Promise<void> {
    const isEvent = ({ topic }: LogRecord): boolean => topic === this.#topics.marketEvents
    const others = records.filter((record) => !isEvent(record))
    if (others.length < records.length) await this.#marketEvents.prepare(records.filter(isEvent))
    if (others.length > 0) await this.#candles.prepare(others.map(({ value }) => value))
  }

  /** @param now ms since the epoch. */
  apply(memory: MarketMemory, records: readonly LogRecord[], now: number): AppliedRecords {
    const updates: MarketUpdate[] = []
    let appendedAt: number | undefined
    let sampled: Map<MarketUpdate, SpanContext> | undefined
    const batches = new Map<string, OpenBatch>()
    for (const record of records) {
      const batch = batches.get(record.topic) ?? new OpenBatch(record.topic)
      if (batch.records === 0) batches.set(record.topic, batch)
      batch.records += 1
      const outcome = this.#applyOne(memory, record, now, batch)
      const context = this.#traces.contextOf(record)
      if (context !== undefined) {
        const traced = this.#traces.applied(record, context, outcome, now)
        if (traced !== undefined) (sampled ??= new Map()).set(traced.update, traced.context)
      }
      if (typeof outcome === 'string') continue
      updates.push(outcome)
      const at = record.timestamp ?? now
      batch.newestAppend = Math.max(batch.newestAppend, at)
      appendedAt = Math.min(appendedAt ?? at, at)
    }
    for (const batch of batches.values()) this.#events.applied(batch.applied(now))
    return { updates, appendedAt, sampled }
  }

  #applyOne(
    memory: MarketMemory,
    record: LogRecord,
    now: number,
    batch: OpenBatch,
  ): RecordOutcome | 'skipped' {
    const outcome =
      record.topic === this.#topics.marketEvents
        ? this.#applyEvent(memory, record, now, batch)
        : this.#applyCandle(memory, record, now, batch)
    if (outcome === 'future') {
      return this.#skip(record, outcome, 'its time is too far ahead of when it was received')
    }
    if (outcome === 'unknown_interval') {
      return this.#skip(record, outcome, 'its interval is not known to this version')
    }
    return outcome
  }

  #applyEvent(
    memory: MarketMemory,
    record: LogRecord,
    now: number,
    batch: OpenBatch,
  ): RecordOutcome | 'skipped' {
    const event = this.#marketEvents.readWhole(record.value)
    if (event instanceof DecodeFailure) return this.#skip(record, event.reason, event.message)
    const outcome = memory.applyEvent(event, record, now)
    if (event.type === 'Trade' && typeof outcome !== 'string') {
      const { eventTime, receivedAt } = event.value
      batch.trades += 1
      batch.newestEvent = Math.max(batch.newestEvent, eventTime)
      this.#flow.trade(eventTime, receivedAt, record.timestamp ?? now, now)
    }
    return outcome
  }

  #applyCandle(
    memory: MarketMemory,
    record: LogRecord,
    now: number,
    batch: OpenBatch,
  ): RecordOutcome | 'skipped' {
    const candle: Candle | DecodeFailure = this.#candles.deserialize(record.value)
    if (candle instanceof DecodeFailure) return this.#skip(record, candle.reason, candle.message)
    if (record.topic === this.#topics.openCandles) {
      batch.openCandles += 1
      return memory.applyOpenCandle(candle)
    }
    const outcome = memory.applyCandle(candle, record)
    if (outcome === 'recalled') return outcome
    batch.closedCandles += 1
    this.#flow.candle(candle.windowEnd, record.timestamp ?? now, now)
    return outcome
  }

  #skip(record: LogRecord, reason: string, message: string): 'skipped' {
    const { topic, partition, offset } = record
    const trace = this.#traces.contextOf(record)
    this.#events.recordSkipped({ topic, partition, offset, reason, trace }, message)
    return 'skipped'
  }
}

class OpenBatch {
  readonly topic: string
  records = 0
  trades = 0
  closedCandles = 0
  openCandles = 0
  newestAppend = -Infinity
  newestEvent = -Infinity

  constructor(topic: string) {
    this.topic = topic
  }

  applied(now: number): AppliedBatch {
    const { topic, records, trades, closedCandles, openCandles } = this
    const since = (time: number): number | undefined =>
      time === -Infinity ? undefined : now - time
    return {
      topic,
      records,
      trades,
      closedCandles,
      openCandles,
      sinceAppendMs: since(this.newestAppend),
      sinceEventMs: since(this.newestEvent),
    }
  }
}
