import { DecodeFailure, Deserializer, readPartition, topicName } from '@tickertape/kafka-avro'
import type { KafkaConnection, Registry } from '@tickertape/kafka-avro'
import type { FeedCursor, OpenGap } from '@tickertape/market-model'

import type { Delivery } from './delivery.ts'
import type { MarketLog } from './market-log.ts'

export interface CursorOwner {
  readonly feedId: string
  readonly replicaId: string
}

export interface ReadCursorsOptions extends CursorOwner {
  readonly connection: KafkaConnection
  readonly topicPrefix: string
  readonly partitions: number
  readonly registry: Registry
}

/** The key of a replica's cursor in feed-cursors. */
export function cursorKey({ feedId, replicaId }: CursorOwner, instrument: string): string {
  return `${feedId}|${replicaId}|${instrument}`
}

/** Whether a key is of the same feed's, and not of the owner. */
export function isOfOtherReplica(owner: CursorOwner, key: string): boolean {
  return key.startsWith(`${owner.feedId}|`) && !key.startsWith(cursorKey(owner, ''))
}

export interface FoundCursors {
  /** The replica's own last ones, by instrument. */
  readonly own: ReadonlyMap<string, FeedCursor>
  /** Of other replicas of the feed, in the order of each partition. */
  readonly others: readonly FeedCursor[]
  /** Of each partition, the next offset. */
  readonly next: readonly number[]
}

/**
 * What feed-cursors has of a feed.
 *
 * @throws KafkaAvroError `reading_failed`, `registry_unreachable`.
 */
export async function readCursors(options: ReadCursorsOptions): Promise<FoundCursors> {
  const { connection, feedId, partitions, registry, topicPrefix } = options
  const ownPrefix = cursorKey(options, '')
  const deserializer = new Deserializer('feed-cursors', registry)
  const own = new Map<string, FeedCursor>()
  /** By key: the last one tells all that is of use. */
  const others = new Map<string, FeedCursor>()
  const topic = topicName('feed-cursors', topicPrefix)
  const clientId = `ingest-${options.feedId}-${options.replicaId}`
  const read = Array.from({ length: partitions }, async (_, partition) => {
    const range = { topic, partition, from: 'earliest', to: 'end' } as const
    let next = 0
    for await (const batch of readPartition({ connection, clientId }, range)) {
      const ofFeed = batch.filter(({ key }) => String(key ?? '').startsWith(`${feedId}|`))
      await deserializer.prepare(ofFeed.map(({ value }) => value))
      for (const { key, value } of ofFeed) {
        const isOwn = !isOfOtherReplica(options, String(key))
        const name = isOwn ? String(key).slice(ownPrefix.length) : String(key)
        const found = isOwn ? own : others
        const cursor = deserializer.deserialize(value)
        // A tombstone or a cursor that is no longer readable: the instrument begins anew.
        if (cursor instanceof DecodeFailure) found.delete(name)
        else found.set(name, cursor)
      }
      next = (batch.at(-1)?.offset ?? -1) + 1
    }
    return next
  })
  return { next: await Promise.all(read), own, others: [...others.values()] }
}

/** Up to when a replica vouched for the feed, by its cursors; undefined if it never did. */
export function vouchedUpTo(
  cursors: Iterable<Pick<FeedCursor, 'eventTime' | 'upTo'>>,
): number | undefined {
  let vouched: number | undefined
  for (const { eventTime, upTo } of cursors) {
    // A cursor of a version that did not say: its last trade had been delivered.
    const time = upTo ?? (eventTime || undefined)
    if (time !== undefined) vouched = Math.max(vouched ?? time, time)
  }
  return vouched
}

/** What a cursor tells of its feed. */
export interface CursorFeed {
  /** Up to when heartbeats vouch for the feed, and no gap of it is open. */
  readonly vouchedUpTo: number | undefined
  /** Since when they do without an absence, for all instruments of which this is the same. */
  vouchesFrom(delivery: Delivery): number | undefined
  /** What may stand open in the log of an instrument. */
  openGaps(delivery: Delivery): readonly OpenGap[]
}

/** Writes cursors, each only after everything before it is in Kafka. */
export class CursorWriter {
  readonly #owner: CursorOwner
  readonly #log: MarketLog
  readonly #feed: CursorFeed
  /** By instrument: what its last cursor stood for. */
  readonly #written = new Map<string, string>()
  /** Instruments whose cursor is taken away: one that waits for Kafka meanwhile is not written. */
  readonly #forgotten = new Set<string>()
  #upTo: number | null = null

  constructor(owner: CursorOwner, log: MarketLog, feed: CursorFeed) {
    this.#owner = owner
    this.#log = log
    this.#feed = feed
  }

  /**
   * Writes the cursors that have moved, and one in any case if the feed's time has: a restart reads it
   * from whichever has it. Resolves when what they stand for is acknowledged.
   */
  async write(deliveries: Iterable<Delivery>): Promise<void> {
    const upTo = this.#feed.vouchedUpTo ?? null
    const all = [...deliveries].flatMap((delivery) => {
      const { cursor } = delivery
      if (cursor === undefined) return []
      const vouchesFrom = this.#feed.vouchesFrom(delivery) ?? null
      return [{ ...cursor, upTo, vouchesFrom, openGaps: this.#feed.openGaps(delivery) }]
    })
    for (const { instrument } of all) this.#forgotten.delete(instrument)
    const moved = all.filter((cursor) => this.#written.get(cursor.instrument) !== placeOf(cursor))
    if (moved.length === 0 && upTo !== this.#upTo) moved.push(...all.slice(0, 1))
    if (moved.length === 0) return
    await this.#log.acknowledged()
    for (const cursor of moved) {
      if (this.#forgotten.has(cursor.instrument)) continue
      this.#log.cursor(cursorKey(this.#owner, cursor.instrument), cursor)
      this.#written.set(cursor.instrument, placeOf(cursor))
    }
    this.#upTo = upTo
  }

  /**
   * Takes away the cursors of instruments that are no longer read and do not come back. Resolves when what was told
   * of them is acknowledged: a process that is killed before leaves that to the next one.
   */
  async forget(instruments: readonly string[]): Promise<void> {
    if (instruments.length === 0) return
    for (const each of instruments) this.#forgotten.add(each)
    await this.#log.acknowledged()
    for (const each of instruments) {
      this.#log.cursor(cursorKey(this.#owner, each), undefined)
      this.#written.delete(each)
    }
    // What heartbeats vouch for may have stood in one of these alone.
    this.#upTo = null
  }

  /** Writes cursors of instruments that are not read now, once it is acknowledged that nothing of theirs is open. */
  async close(cursors: readonly FeedCursor[]): Promise<void> {
    if (cursors.length === 0) return
    await this.#log.acknowledged()
    for (const cursor of cursors) {
      const closed = { ...cursor, vouchesFrom: null, openGaps: [] }
      this.#log.cursor(cursorKey(this.#owner, cursor.instrument), closed)
    }
  }
}

function placeOf({ openGaps, sequence, tradeIds, vouchesFrom }: FeedCursor): string {
  const gaps = openGaps.map(({ gapId, toTime }) => `${gapId} ${toTime}`)
  return [sequence, tradeIds.at(-1), vouchesFrom, ...gaps].join(' ')
}
