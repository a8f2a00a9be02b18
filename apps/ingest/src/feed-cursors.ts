import { DecodeFailure, Deserializer, readPartition, topicName } from '@tickertape/kafka-avro'
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
}

/** The key of a replica's cursor in feed-cursors. */
export function cursorKey({ feedId, replicaId }: CursorOwner, instrument: string): string {
  return `${feedId}|${replicaId}|${instrument}`
}

/**
 * The replica's last cursors, by instrument.
 *
 * @throws KafkaAvroError `reading_failed`, `registry_unreachable`.
 */
export async function readCursors(
  options: ReadCursorsOptions,
): Promise<ReadonlyMap<string, FeedCursor>> {
  const { brokers, partitions, registry, topicPrefix } = options
  const ownPrefix = cursorKey(options, '')
  const deserializer = new Deserializer('feed-cursors', registry)
  const found = new Map<string, FeedCursor>()
  const topic = topicName('feed-cursors', topicPrefix)
  const clientId = `ingest-${options.feedId}-${options.replicaId}`
  const read = Array.from({ length: partitions }, async (_, partition) => {
    const range = { topic, partition, from: 'earliest', to: 'end' } as const
    for await (const batch of readPartition({ brokers, clientId }, range)) {
      const own = batch.filter(({ key }) => String(key ?? '').startsWith(ownPrefix))
      await deserializer.prepare(own.map(({ value }) => value))
      for (const { key, value } of own) {
        const instrument = String(key).slice(ownPrefix.length)
        const cursor = deserializer.deserialize(value)
        // A tombstone or a cursor that is no longer readable: the instrument begins anew.
        if (cursor instanceof DecodeFailure) found.delete(instrument)
        else found.set(instrument, cursor)
      }
    }
  })
  await Promise.all(read)
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
