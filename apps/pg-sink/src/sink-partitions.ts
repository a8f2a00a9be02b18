import type {
  Message,
  PartitionHandlers,
  TopicPartition,
  TopicPartitionOffset,
} from '@tickertape/kafka-avro'
import type { Database } from '@tickertape/market-store'

import { Batch } from './batch.ts'
import type { NextOffset } from './batch.ts'
import { writeBatch } from './batch-writer.ts'
import type { WrittenRows } from './batch-writer.ts'
import type { Dependency, PgSinkEvents } from './events.ts'
import { claimPartitions, partitionKey } from './partition-epochs.ts'
import type { RecordReader } from './record-reader.ts'

export interface SinkPartitionsOptions {
  readonly database: Database
  readonly records: RecordReader
  readonly events: PgSinkEvents
  readonly batch: { readonly size: number; readonly waitMs: number }
  /** Runs an action until it succeeds, through outages of what it depends on. */
  readonly through: <T>(dependency: Dependency, action: () => Promise<T>) => Promise<T>
  /** The first offset that the log still has. */
  readonly firstOffsets: (partitions: readonly TopicPartition[]) => Promise<readonly NextOffset[]>
  readonly onCommitted: (positions: readonly NextOffset[]) => void
}

/** Records can be large (a megabyte each): a batch is full by its bytes, too. */
const fullBytes = 8 * 1024 * 1024

/**
 * The sink's partitions: collects their records into batches and writes them, one behind the other.
 * While a batch is in the database the next one is decoded; there are never more than these two, for
 * reading waits.
 *
 * While the database is away no record is read. Past Kafka's max.poll.interval (5 min) the group then
 * gives the partitions to another member, if there is one; coming back is an assignment like any other,
 * for positions come from the database alone.
 */
export class SinkPartitions implements PartitionHandlers {
  readonly #options: SinkPartitionsOptions
  readonly #epochs = new Map<string, number>()
  readonly #positions = new Map<string, NextOffset>()
  #batch = new Batch()
  /** When the first record of the batch came. */
  #batchBegan = 0
  #writing: Promise<void> = Promise.resolve()
  #failure: unknown

  constructor(options: SinkPartitionsOptions) {
    this.#options = options
  }

  /** Where each owned partition is read next. */
  get positions(): Iterable<NextOffset> {
    return this.#positions.values()
  }

  async assigned(partitions: readonly TopicPartition[]): Promise<readonly TopicPartitionOffset[]> {
    const { database, events, firstOffsets, through } = this.#options
    const claimed = await through('database', () =>
      claimPartitions(database, partitions, (unknown) =>
        through('kafka', () => firstOffsets(unknown)),
      ),
    )
    for (const { epoch, ...position } of claimed) {
      this.#epochs.set(partitionKey(position), epoch)
      this.#positions.set(partitionKey(position), position)
    }
    events.partitionsClaimed(claimed)
    return claimed.map(({ topic, partition, offset }) => ({ topic, partition, offset }))
  }

  async revoked(partitions: readonly TopicPartition[], lost: boolean): Promise<void> {
    this.#options.events.partitionsRevoked(partitions, lost)
    if (lost) {
      // They may have an owner already, which reads these records anew.
      this.#batch = new Batch()
      await this.#writing.catch(() => undefined)
      this.#failure = undefined
    } else {
      await this.#write()
      await this.#writing
    }
    this.#epochs.clear()
    this.#positions.clear()
  }

  async process(messages: readonly Message[]): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    if (messages.length > 0) await this.#collect(messages)
    if (this.#batch.records === 0) return
    const { size, waitMs } = this.#options.batch
    const isFull = this.#batch.records >= size || this.#batch.bytes >= fullBytes
    if (isFull || performance.now() - this.#batchBegan >= waitMs) await this.#write()
  }

  async #collect(messages: readonly Message[]): Promise<void> {
    const { records, through } = this.#options
    if (this.#batch.records === 0) this.#batchBegan = performance.now()
    await through('registry', () => records.prepare(messages))
    for (const message of messages) records.addTo(this.#batch, message)
    for (const position of this.#batch.positions) {
      this.#positions.set(partitionKey(position), position)
    }
  }

  /** Begins to write what is collected, once the batch before it is committed. */
  async #write(): Promise<void> {
    await this.#writing
    if (this.#batch.records === 0) return
    const batch = this.#batch
    this.#batch = new Batch()
    this.#writing = this.#commit(batch, this.#batchBegan)
    // Whoever comes next finds it; until then nobody listens.
    this.#writing.catch((error: unknown) => {
      this.#failure = error
    })
  }

  async #commit(batch: Batch, batchBegan: number): Promise<void> {
    const { database, events, onCommitted, through } = this.#options
    // The epochs of now: what is assigned later does not cover this batch.
    const epochs = new Map(this.#epochs)
    let commitBegan = 0
    const rows: WrittenRows = await through('database', () => {
      commitBegan = performance.now()
      return writeBatch(database, batch, epochs)
    })
    const now = performance.now()
    events.batchCommitted({
      records: batch.records,
      trades: batch.trades.length,
      rows,
      batchSeconds: (now - batchBegan) / 1_000,
      commitSeconds: (now - commitBegan) / 1_000,
      lastEventTime: batch.lastEventTime,
    })
    onCommitted(batch.positions)
  }
}
