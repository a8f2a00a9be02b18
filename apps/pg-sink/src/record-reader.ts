import { DecodeFailure, Deserializer, topicName } from '@tickertape/kafka-avro'
import type { Message, Registry } from '@tickertape/kafka-avro'
import type { Candle, MarketEvent } from '@tickertape/market-model'
import { isPartitionable } from '@tickertape/market-store'

import type { Batch } from './batch.ts'
import { foreignReject, ownReject } from './rejected-row.ts'
import { whyNotStorable } from './storable.ts'

export interface RecordReaderOptions {
  readonly topicPrefix: string
  readonly registry: Registry
  readonly futureToleranceMs: number
  readonly onReject: (reason: string, explanation: string, message: Message) => void
}

const tradeTimes = ['eventTime', 'receivedAt', 'maturesAt']
const tradeKeys = ['venue', 'instrument', 'tradeId', 'feedId']
const candleTimes = ['windowStart', 'windowEnd']
const candleKeys = ['instrumentId', 'interval']
const heartbeatTimes = ['upTo']
const gapTimes = ['fromTime', 'toTime']
const feedKeys = ['feedId', 'gapId', 'instrumentId']

/** Turns records of the three topics into rows of a batch. Every record ends up somewhere. */
export class RecordReader {
  readonly #options: RecordReaderOptions
  readonly #marketEvents: Deserializer<'market-events'>
  readonly #candles: Deserializer<'candles'>
  readonly #names: { readonly marketEvents: string; readonly candles: string }

  constructor(options: RecordReaderOptions) {
    this.#options = options
    this.#marketEvents = new Deserializer('market-events', options.registry)
    this.#candles = new Deserializer('candles', options.registry)
    this.#names = {
      marketEvents: topicName('market-events', options.topicPrefix),
      candles: topicName('candles', options.topicPrefix),
    }
  }

  /**
   * Fetches what is needed to read these records; safe to call again.
   *
   * @throws KafkaAvroError `registry_unreachable`.
   */
  async prepare(messages: readonly Message[]): Promise<void> {
    await this.#marketEvents.prepare(valuesOf(messages, this.#names.marketEvents))
    await this.#candles.prepare(valuesOf(messages, this.#names.candles))
  }

  /** @param message its schema was fetched by `prepare`. */
  addTo(batch: Batch, message: Message): void {
    batch.reached(message, message.size)
    if (message.topic === this.#names.marketEvents) {
      const event = this.#marketEvents.deserialize(message.value)
      if (event instanceof DecodeFailure) this.#reject(batch, message, event.reason, event.message)
      else this.#addEvent(batch, message, event)
    } else if (message.topic === this.#names.candles) {
      const candle = this.#candles.deserialize(message.value)
      if (candle instanceof DecodeFailure) {
        this.#reject(batch, message, candle.reason, candle.message)
      } else {
        this.#addCandle(batch, message, candle)
      }
    } else {
      batch.addReject(foreignReject(message))
    }
  }

  #addEvent(batch: Batch, message: Message, { type, value }: MarketEvent): void {
    switch (type) {
      case 'Trade':
        if (!isPartitionable(value.eventTime)) {
          const problem = `eventTime is ${value.eventTime} ms, beyond the years 2009 to 2099`
          this.#reject(batch, message, 'not_storable', problem)
        } else if (this.#isStorable(batch, message, value, tradeTimes, tradeKeys)) {
          batch.addTrade(value, message)
        }
        return
      case 'FeedHeartbeat':
        // The aggregator turns such a heartbeat away, and no window closes by it.
        if (value.upTo - value.receivedAt > this.#options.futureToleranceMs) return
        if (this.#isStorable(batch, message, value, heartbeatTimes, feedKeys)) {
          batch.addHeartbeat(value, message)
        }
        return
      case 'SequenceGap':
        if (this.#isStorable(batch, message, value, gapTimes, feedKeys)) {
          batch.addGap(value, message)
        }
        return
      case 'InstrumentStatus':
      case 'Rebuild':
        // They steer the aggregator; nothing of them is kept here.
        return
    }
  }

  #addCandle(batch: Batch, message: Message, candle: Candle): void {
    if (this.#isStorable(batch, message, candle, candleTimes, candleKeys)) batch.addCandle(candle)
  }

  #isStorable(
    batch: Batch,
    message: Message,
    record: object,
    times: readonly string[],
    keys: readonly string[],
  ): boolean {
    const problem = whyNotStorable(record, times, keys)
    if (problem === undefined) return true
    this.#reject(batch, message, 'not_storable', problem)
    return false
  }

  #reject(batch: Batch, message: Message, reason: string, explanation: string): void {
    batch.addReject(ownReject(message, reason, explanation))
    this.#options.onReject(reason, explanation, message)
  }
}

function* valuesOf(messages: readonly Message[], topic: string): Generator<Buffer | null> {
  for (const message of messages) if (message.topic === topic) yield message.value
}
