import { DecodeFailure, Deserializer, readPartition, topicName } from '@tickertape/kafka-avro'
import type { Registry } from '@tickertape/kafka-avro'
import type { FeedCursor } from '@tickertape/market-model'

import type { Delivery } from './delivery.ts'
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

/** Up to when a replica vouched for the feed, by its cursors; undefined if it never did. */
export function vouchedUpTo(cursors: Iterable<FeedCursor>): number | undefined {
  let vouched: number | undefined
  for (const { eventTime, upTo } of cursors) {
    // A cursor of a version that did not say: its last trade had been delivered.
    const time = upTo ?? (eventTime || undefined)
    if (time !== undefined) vouched = Math.max(vouched ?? time, time)
  }
  return vouched
}

/** Writes cursors, each only after everything before it is in Kafka. */
export class CursorWriter {
  readonly #owner: CursorOwner
  readonly #log: MarketLog
  readonly #vouchedUpTo: () => number | undefined
  /** By instrument: what its last cursor stood for. */
  readonly #written = new Map<string, string>()
  #upTo: number | null = null

  /** @param vouched up to when heartbeats vouch for the feed, and no gap of it is open. */
  constructor(owner: CursorOwner, log: MarketLog, vouched: () => number | undefined) {
    this.#owner = owner
    this.#log = log
    this.#vouchedUpTo = vouched
  }

  /**
   * Writes the cursors that have moved, and one in any case if the feed's time has: a restart reads it
   * from whichever has it. Resolves when what they stand for is acknowledged.
   */
  async write(deliveries: Iterable<Delivery>): Promise<void> {
    const upTo = this.#vouchedUpTo() ?? null
    const all = [...deliveries].flatMap(({ cursor }) => cursor ?? [])
    const moved = all.filter((cursor) => this.#written.get(cursor.instrument) !== placeOf(cursor))
    if (moved.length === 0 && upTo !== this.#upTo) moved.push(...all.slice(0, 1))
    if (moved.length === 0) return
    await this.#log.acknowledged()
    for (const cursor of moved) {
      this.#log.cursor(cursorKey(this.#owner, cursor.instrument), { ...cursor, upTo })
      this.#written.set(cursor.instrument, placeOf(cursor))
    }
    this.#upTo = upTo
  }
}

function placeOf({ sequence, tradeIds }: FeedCursor): string {
  return `${sequence} ${tradeIds.at(-1)}`
}
