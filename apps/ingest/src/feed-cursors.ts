import {
  DecodeFailure,
  Deserializer,
  partitionOf,
  readPartition,
  topicName,
} from '@tickertape/kafka-avro'
import type { Registry } from '@tickertape/kafka-avro'
import type { FeedCursor } from '@tickertape/market-model'

import type { InstrumentDelivery } from './instrument-delivery.ts'
import type { MarketLog } from './market-log.ts'

export interface CursorOwner {
  readonly feedId: string
  readonly replicaId: string
}

export interface ReadCursorsOptions extends CursorOwner {
  readonly brokers: string
  readonly topicPrefix: string
  readonly partitions: number
  readonly registry: Registry
  readonly instruments: readonly string[]
}

/** The key of a replica's cursor in feed-cursors. */
export function cursorKey({ feedId, replicaId }: CursorOwner, instrument: string): string {
  return `${feedId}|${replicaId}|${instrument}`
}

/**
 * The replica's last cursor of each instrument; those without one are left out.
 *
 * @throws KafkaAvroError `reading_failed`, `registry_unreachable`.
 */
export async function readCursors(
  options: ReadCursorsOptions,
): Promise<ReadonlyMap<string, FeedCursor>> {
  const { brokers, instruments, partitions, registry, topicPrefix } = options
  const wanted = new Map(instruments.map((each) => [cursorKey(options, each), each]))
  const deserializer = new Deserializer('feed-cursors', registry)
  const found = new Map<string, FeedCursor>()
  for (const partition of new Set([...wanted.keys()].map((key) => partitionOf(key, partitions)))) {
    const batches = readPartition(
      { brokers, clientId: `ingest-${options.feedId}-${options.replicaId}` },
      { topic: topicName('feed-cursors', topicPrefix), partition, from: 'earliest', to: 'end' },
    )
    for await (const batch of batches) {
      const own = batch.filter(({ key }) => wanted.has(String(key ?? '')))
      await deserializer.prepare(own.map(({ value }) => value))
      for (const { key, value } of own) {
        const cursor = deserializer.deserialize(value)
        const instrument = wanted.get(String(key))
        // A tombstone or a cursor that is no longer readable: the instrument begins anew.
        if (instrument === undefined) continue
        if (cursor instanceof DecodeFailure) found.delete(instrument)
        else found.set(instrument, cursor)
      }
    }
  }
  return found
}

/** Writes cursors, each only after everything before it is in Kafka. */
export class CursorWriter {
  readonly #owner: CursorOwner
  readonly #log: MarketLog
  readonly #written = new Map<string, number | null>()

  constructor(owner: CursorOwner, log: MarketLog) {
    this.#owner = owner
    this.#log = log
  }

  /** Writes the cursors that have moved. Resolves when what they stand for is acknowledged. */
  async write(deliveries: Iterable<InstrumentDelivery>): Promise<void> {
    const moved: FeedCursor[] = []
    for (const { cursor } of deliveries) {
      if (cursor === undefined || this.#written.get(cursor.instrument) === cursor.sequence) continue
      moved.push(cursor)
    }
    if (moved.length === 0) return
    await this.#log.acknowledged()
    for (const cursor of moved) {
      this.#log.cursor(cursorKey(this.#owner, cursor.instrument), cursor)
      this.#written.set(cursor.instrument, cursor.sequence)
    }
  }
}
