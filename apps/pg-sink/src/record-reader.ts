import { DecodeFailure, Deserializer, MarketEventReader, topicName } from '@tickertape/kafka-avro'
import type { LogRecord, RejectReason, Registry } from '@tickertape/kafka-avro'
import type { Candle, MarketEvent, Trade } from '@tickertape/market-model'
import { MarketStoreError } from '@tickertape/market-store'

import type { Batch } from './batch.ts'
import type { KnownTrades } from './known-trades.ts'
import { foreignReject } from './rejected-row.ts'
import { whyNotStorable } from './storable.ts'
import { whyTradeNotStorable } from './trade-storable.ts'

export interface RecordReaderOptions {
  readonly topicPrefix: string
  readonly registry: Registry
  readonly futureToleranceMs: number
}

const candleTimes = ['windowStart', 'windowEnd']
const candleKeys = ['instrumentId', 'interval']
const heartbeatTimes = ['upTo']
const gapTimes = ['fromTime', 'toTime']
const statusTimes = ['eventTime']
const feedKeys = ['feedId', 'gapId', 'instrumentId']

/** Turns records of the three topics into rows of a batch. Every record ends up somewhere. */
export class RecordReader {
  readonly #options: RecordReaderOptions
  readonly #marketEvents: MarketEventReader
  readonly #candles: Deserializer<'candles'>
  readonly #names: { readonly marketEvents: string; readonly candles: string }

  constructor(options: RecordReaderOptions) {
    this.#options = options
    this.#marketEvents = new MarketEventReader(options.registry)
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
  async prepare(records: readonly LogRecord[]): Promise<void> {
    await this.#marketEvents.prepare(recordsOf(records, this.#names.marketEvents))
    await this.#candles.prepare(valuesOf(records, this.#names.candles))
  }

  /** Whether a topic has trades, which may come again. */
  hasTrades(topic: string): boolean {
    return topic === this.#names.marketEvents
  }

  /**
   * @param record its schema was fetched by `prepare`.
   * @param known trades of the record's partition that need not be written again; without it each is.
   */
  addTo(batch: Batch, record: LogRecord, known?: KnownTrades): void {
    batch.reached(record)
    if (this.hasTrades(record.topic)) this.#addMarketEvent(batch, record, known)
    else if (record.topic === this.#names.candles) this.#addCandle(batch, record)
    else addForeignReject(batch, record)
  }

  #addMarketEvent(batch: Batch, record: LogRecord, known: KnownTrades | undefined): void {
    const { value } = record
    if (known !== undefined && this.#isKnown(value, known)) {
      batch.skipKnownTrade()
      return
    }
    const event = this.#marketEvents.readWhole(value)
    if (event instanceof DecodeFailure) reject(batch, record, event.reason, event.message)
    else if (event.type !== 'Trade') this.#addEvent(batch, record, event)
    else if (!this.#addTrade(batch, record, event.value)) known?.clear()
  }

  #isKnown(value: Buffer | null, known: KnownTrades): boolean {
    const identity = this.#marketEvents.identityOf(value)
    if (identity === undefined || value === null) return false
    return known.add(value, identity.begin, identity.end, identity.eventTime)
  }

  /** @returns false if it is rejected: then the next record of the trade may be the first that stands. */
  #addTrade(batch: Batch, record: LogRecord, trade: Trade): boolean {
    const problem = whyTradeNotStorable(trade)
    if (problem !== undefined) {
      reject(batch, record, 'not_storable', problem)
      return false
    }
    try {
      batch.addTrade(trade, record)
      return true
    } catch (error) {
      // The one thing that it throws.
      if (!(error instanceof MarketStoreError)) throw error
      reject(batch, record, 'not_storable', error.message)
      return false
    }
  }

  #addEvent(batch: Batch, record: LogRecord, { type, value }: MarketEvent): void {
    switch (type) {
      case 'FeedHeartbeat':
        // The aggregator turns such a heartbeat away, and no window closes by it.
        if (value.upTo - value.receivedAt > this.#options.futureToleranceMs) return
        if (isStorable(batch, record, value, heartbeatTimes, feedKeys)) {
          batch.addHeartbeat(value, record)
        }
        return
      case 'SequenceGap':
        if (isStorable(batch, record, value, gapTimes, feedKeys)) batch.addGap(value, record)
        return
      case 'InstrumentStatus':
        if (isStorable(batch, record, value, statusTimes, feedKeys)) {
          batch.addInstrument(value, record)
        }
        return
      case 'Trade':
      case 'Rebuild':
        // A rebuild steers the aggregator; nothing of it is kept here.
        return
    }
  }

  #addCandle(batch: Batch, record: LogRecord): void {
    const candle: Candle | DecodeFailure = this.#candles.deserialize(record.value)
    if (candle instanceof DecodeFailure) reject(batch, record, candle.reason, candle.message)
    else if (isStorable(batch, record, candle, candleTimes, candleKeys)) batch.addCandle(candle)
  }
}

/** What the sink itself has put there is in the table already, under the position that it was read from. */
function addForeignReject(batch: Batch, record: LogRecord): void {
  const row = foreignReject(record)
  if (row.stage !== 'pg-sink') batch.addForeignReject(row)
}

function isStorable(
  batch: Batch,
  record: LogRecord,
  value: object,
  times: readonly string[],
  keys: readonly string[],
): boolean {
  const problem = whyNotStorable(value, times, keys)
  if (problem === undefined) return true
  reject(batch, record, 'not_storable', problem)
  return false
}

function reject(batch: Batch, record: LogRecord, reason: RejectReason, message: string): void {
  batch.addReject({ record, reason, message })
}

function* recordsOf(records: readonly LogRecord[], topic: string): Generator<LogRecord> {
  for (const record of records) if (record.topic === topic) yield record
}

function* valuesOf(records: readonly LogRecord[], topic: string): Generator<Buffer | null> {
  for (const record of recordsOf(records, topic)) yield record.value
}
