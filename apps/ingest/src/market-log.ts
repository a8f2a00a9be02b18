import { partitionOf, rejectedHeaders, topicName } from '@tickertape/kafka-avro'
import type {
  EventProducer,
  OutgoingRecord,
  RejectedFeed,
  Serializer,
} from '@tickertape/kafka-avro'
import { instrumentIdOf } from '@tickertape/market-model'
import type {
  FeedCursor,
  FeedHeartbeat,
  InstrumentStatus,
  MarketEvent,
  SequenceGap,
  Trade,
} from '@tickertape/market-model'

import type { RejectReason } from './mapped-trade.ts'
import type { TradeTraces } from './trade-traces.ts'

export interface MarketLogOptions {
  readonly producer: Pick<
    EventProducer,
    'acknowledged' | 'inFlight' | 'produce' | 'whenInFlightBelow'
  >
  readonly marketEvents: Pick<Serializer<'market-events'>, 'serialize'>
  readonly feedCursors: Pick<Serializer<'feed-cursors'>, 'serialize'>
  /** None without it. */
  readonly traces?: Pick<TradeTraces, 'begin'>
  readonly partitions: number
  readonly topicPrefix: string
  /** Whose frames these are: what rejected ones are read by again. */
  readonly feed: RejectedFeed
  /** Records that may wait for the broker before reading stops. */
  readonly maxInFlight: number
  /** Told of each gap that is written. */
  readonly onGap?: (gap: SequenceGap) => void
}

export interface Rejection {
  readonly reason: RejectReason
  readonly message: string
  readonly original: string
  /** null where it cannot be told. */
  readonly instrumentId: string | null
}

/** What ingest writes to Kafka. Records of one partition keep the order of the calls. */
export class MarketLog {
  readonly #options: MarketLogOptions
  readonly #marketEvents: string
  readonly #feedCursors: string
  readonly #rejected: string
  readonly #partitions = new Map<string, number>()

  constructor(options: MarketLogOptions) {
    this.#options = options
    this.#marketEvents = topicName('market-events', options.topicPrefix)
    this.#feedCursors = topicName('feed-cursors', options.topicPrefix)
    this.#rejected = topicName('rejected', options.topicPrefix)
  }

  get inFlight(): number {
    return this.#options.producer.inFlight
  }

  /** Whether the caller has to stop reading until `whenRoom`. */
  get full(): boolean {
    return this.inFlight >= this.#options.maxInFlight
  }

  /** Half of the bound is left then, so that reading does not stop again at once. */
  async whenRoom(): Promise<void> {
    if (!this.full) return
    await this.#options.producer.whenInFlightBelow(Math.ceil(this.#options.maxInFlight / 2))
  }

  /** Resolves when everything written before this call is in Kafka. */
  acknowledged(): Promise<void> {
    return this.#options.producer.acknowledged()
  }

  trade(trade: Trade): void {
    const { producer, traces } = this.#options
    const record = this.#keyedRecord(instrumentIdOf(trade), { type: 'Trade', value: trade })
    const traced = traces?.begin(trade, record)
    if (traced === undefined) producer.produce(record)
    else producer.produce(traced.record, traced.onDelivered)
  }

  /** To the instrument's partition; to every one, if it is the whole feed's. */
  gap(gap: SequenceGap): void {
    this.#options.onGap?.(gap)
    const event = { type: 'SequenceGap', value: gap } as const
    if (gap.instrumentId === null) this.#everywhere(event)
    else this.#keyed(gap.instrumentId, event)
  }

  status(status: InstrumentStatus): void {
    this.#keyed(status.instrumentId, { type: 'InstrumentStatus', value: status })
  }

  /** To every partition, behind what was written to it before. */
  heartbeat(heartbeat: FeedHeartbeat): void {
    this.#everywhere({ type: 'FeedHeartbeat', value: heartbeat })
  }

  /** @param cursor none takes away the one that there is. */
  cursor(key: string, cursor: FeedCursor | undefined): void {
    this.#options.producer.produce({
      topic: this.#feedCursors,
      partition: this.#partitionOf(key),
      key,
      value: cursor === undefined ? null : this.#options.feedCursors.serialize(cursor),
    })
  }

  reject({ reason, message, original, instrumentId }: Rejection): void {
    const origin = { topic: null, partition: null, offset: null }
    this.#options.producer.produce({
      topic: this.#rejected,
      partition: instrumentId === null ? 0 : this.#partitionOf(instrumentId),
      key: instrumentId,
      value: Buffer.from(original),
      headers: rejectedHeaders({
        stage: 'ingest',
        reason,
        message,
        ...origin,
        feed: this.#options.feed,
      }),
    })
  }

  #everywhere(event: MarketEvent): void {
    const value = this.#options.marketEvents.serialize(event)
    for (let partition = 0; partition < this.#options.partitions; partition += 1) {
      this.#options.producer.produce({ topic: this.#marketEvents, partition, key: null, value })
    }
  }

  #keyed(key: string, event: MarketEvent): void {
    this.#options.producer.produce(this.#keyedRecord(key, event))
  }

  #keyedRecord(key: string, event: MarketEvent): OutgoingRecord {
    return {
      topic: this.#marketEvents,
      partition: this.#partitionOf(key),
      key,
      value: this.#options.marketEvents.serialize(event),
    }
  }

  /** Keys are those of the configured instruments: the map has their number. */
  #partitionOf(key: string): number {
    const known = this.#partitions.get(key)
    if (known !== undefined) return known
    const partition = partitionOf(key, this.#options.partitions)
    this.#partitions.set(key, partition)
    return partition
  }
}
