import type {
  LogReader,
  LogRecord,
  PartitionHandlers,
  TopicPartition,
  TopicPartitionOffset,
} from '@tickertape/kafka-avro'
import type { Trade } from '@tickertape/market-model'
import type { CopyRows, Database } from '@tickertape/market-store'

import { Batch } from './batch.ts'
import type { NextOffset } from './batch.ts'
import { BatchSize } from './batch-size.ts'
import type { BatchWriter } from './batch-writer.ts'
import type { Dependency, PgSinkEvents } from './events.ts'
import { KnownTrades } from './known-trades.ts'
import { claimPartitions, partitionKey } from './partition-epochs.ts'
import type { ClaimedPartition } from './partition-epochs.ts'
import type { RecordReader } from './record-reader.ts'
import type { SinkTraces } from './sink-traces.ts'

export interface SinkPartitionsOptions {
  readonly database: Database
  readonly records: RecordReader
  readonly writer: BatchWriter
  readonly events: PgSinkEvents
  readonly traces: SinkTraces
  readonly batch: {
    readonly size: number
    readonly waitMs: number
    readonly commitTargetMs: number
  }
  /** Runs an action until it succeeds, through outages of what it depends on. */
  readonly through: <T>(dependency: Dependency, action: () => Promise<T>) => Promise<T>
  /** The first offset that the log still has. */
  readonly firstOffsets: (partitions: readonly TopicPartition[]) => Promise<readonly NextOffset[]>
  /** Who reads the partitions: it is paused while the database takes no more. */
  readonly reader: Pick<LogReader, 'pause' | 'resume' | 'commitForMonitoring'>
}

/** Records can be large (a megabyte each): a batch is full by its bytes, too. */
const fullBytes = 8 * 1024 * 1024

/** How long the reader is kept waiting for a write to end before its partitions are paused instead. */
const patienceMs = 5_000

/**
 * The sink's partitions: collects their records into batches and writes them, one behind the other.
 * While a batch is in the database the next one is decoded; there are never more than these two, for
 * reading pauses.
 *
 * While the database is away no record is read. A rebalance then has to wait, and is given up by the reader
 * after some minutes; coming back is an assignment like any other, for positions come from the database alone.
 */
export class SinkPartitions implements PartitionHandlers {
  readonly #options: SinkPartitionsOptions
  readonly #size: BatchSize
  /** Where each owned partition is written up to, and under which epoch. */
  #owned = new Map<string, ClaimedPartition>()
  readonly #positions = new Map<string, NextOffset>()
  readonly #known = new Map<string, KnownTrades>()
  /** Memory of batches that are written, for those to come. */
  readonly #spares: CopyRows<Trade>[] = []
  #batch = new Batch()
  /** Read, and not in the batch yet: it is full. */
  #waiting: readonly LogRecord[] = []
  /** When the first record of the batch came. */
  #batchBegan = 0
  /** Records were left out as known of which it is not sure that they are written. */
  #isDoubtful = false
  #writing: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined
  #isPaused = false

  constructor(options: SinkPartitionsOptions) {
    this.#options = options
    const { size, commitTargetMs } = options.batch
    this.#size = new BatchSize({ most: size, targetMs: commitTargetMs })
  }

  /** Where each owned partition is read next. */
  get positions(): Iterable<NextOffset> {
    return this.#positions.values()
  }

  async assigned(partitions: readonly TopicPartition[]): Promise<readonly TopicPartitionOffset[]> {
    const { database, events, firstOffsets, records, through } = this.#options
    const claimed = await through('database', () =>
      claimPartitions(database, partitions, (unknown) =>
        through('kafka', () => firstOffsets(unknown)),
      ),
    )
    const withTrades = claimed.filter(({ topic }) => records.hasTrades(topic))
    for (const claim of withTrades) {
      this.#known.set(partitionKey(claim), new KnownTrades(withTrades.length))
    }
    for (const claim of claimed) {
      const key = partitionKey(claim)
      const { topic, partition, offset } = claim
      this.#owned.set(key, claim)
      this.#positions.set(key, { topic, partition, offset })
    }
    this.#isPaused = false
    events.partitionsClaimed(claimed)
    return claimed.map(({ topic, partition, offset }) => ({ topic, partition, offset }))
  }

  async revoked(partitions: readonly TopicPartition[], lost: boolean): Promise<void> {
    this.#options.events.partitionsRevoked(partitions, lost)
    // What waits is read again by the next owner, and so is the batch if there may be one already.
    this.#waiting = []
    if (lost) this.#batch = new Batch()
    await this.#writing
    if (this.#failure === undefined && this.#batch.records.length > 0) this.#write()
    await this.#writing
    const failure = this.#failure
    this.#batch = new Batch()
    this.#failure = undefined
    this.#isDoubtful = false
    this.#owned = new Map()
    this.#positions.clear()
    this.#known.clear()
    if (failure !== undefined && !lost) throw failure.error
  }

  async process(records: readonly LogRecord[]): Promise<void> {
    if (records.length > 0) {
      await this.#options.through('registry', () => this.#options.records.prepare(records))
      this.#waiting = this.#waiting.length === 0 ? records : [...this.#waiting, ...records]
    }
    this.#collect()
    if (this.#waiting.length > 0) {
      await withinPatience(this.#writing)
      this.#collect()
    }
    if (this.#failure !== undefined) throw this.#failure.error
    for (const position of this.#batch.positions) {
      this.#positions.set(partitionKey(position), position)
    }
    this.#pauseOrResume()
  }

  /** Takes what waits into the batch, and has it written when it is full or old enough. */
  #collect(): void {
    const waiting = this.#waiting
    let taken = 0
    let previous: LogRecord | undefined
    let known: KnownTrades | undefined
    for (const record of waiting) {
      if (this.#isFull && !this.#write()) break
      if (this.#batch.records.length === 0) this.#batchBegan = performance.now()
      if (record.partition !== previous?.partition || record.topic !== previous.topic) {
        known = this.#known.get(partitionKey(record))
        previous = record
      }
      this.#options.records.addTo(this.#batch, record, known)
      this.#options.traces.taken(this.#batch, record)
      taken += 1
    }
    if (waiting.length > 0) this.#waiting = taken === waiting.length ? [] : waiting.slice(taken)
    this.#writeIfDue()
  }

  get #isFull(): boolean {
    const { records, bytes } = this.#batch
    return records.length >= this.#size.records || bytes >= fullBytes
  }

  #writeIfDue(): void {
    if (this.#batch.records.length === 0) return
    const isOld = performance.now() - this.#batchBegan >= this.#options.batch.waitMs
    if (isOld || this.#isFull) this.#write()
  }

  /** Begins to write what is collected. @returns false while the batch before it is being written. */
  #write(): boolean {
    if (this.#writing !== undefined || this.#failure !== undefined) return false
    const batch = this.#batch
    this.#batch = new Batch(this.#spares.pop())
    this.#writing = this.#commit(batch, this.#batchBegan)
      .catch((error: unknown) => {
        // Whoever calls next finds it.
        this.#failure = { error }
      })
      .then(() => {
        this.#writing = undefined
        // The database is idle: what has waited for it follows at once.
        this.#writeIfDue()
      })
    return true
  }

  async #commit(batch: Batch, batchBegan: number): Promise<void> {
    const { events, reader, traces, writer } = this.#options
    // Those of now: what is assigned later does not cover this batch.
    const owned = this.#owned
    const isDoubtful = this.#isDoubtful
    this.#isDoubtful = false
    const result = await writer.write(batch, owned, isDoubtful)
    traces.committed(batch, result)
    const { commitMs, ...written } = result
    if (written.wasRefused) this.#doubt()
    const { positions } = batch
    for (const position of positions) {
      const claim = owned.get(partitionKey(position))
      if (claim !== undefined) owned.set(partitionKey(position), { ...claim, ...position })
    }
    // A search for what cannot be stored takes far longer than other batches.
    if (written.mode !== 'halved') this.#size.observe(batch.records.length, commitMs)
    events.batchCommitted({
      records: batch.records.length,
      trades: batch.trades.length,
      knownTrades: batch.knownTrades,
      ...written,
      batchSeconds: (performance.now() - batchBegan) / 1_000,
      commitSeconds: commitMs / 1_000,
      lastEventTime: batch.lastEventTime,
      sizeOfFull: this.#size.records,
    })
    batch.trades.clear()
    this.#spares.push(batch.trades)
    // Another session may be at work when a long outage ends.
    if (owned === this.#owned) reader.commitForMonitoring(positions)
  }

  /** A trade that was taken for written is not: of others that are known by it the first one may stand. */
  #doubt(): void {
    for (const known of this.#known.values()) known.clear()
    this.#isDoubtful = this.#batch.knownTrades > 0
  }

  #pauseOrResume(): void {
    const mustPause = this.#waiting.length > 0
    if (mustPause === this.#isPaused) return
    this.#isPaused = mustPause
    const partitions = [...this.#owned.values()].map(({ topic, partition }) => ({
      topic,
      partition,
    }))
    if (mustPause) this.#options.reader.pause(partitions)
    else this.#options.reader.resume(partitions)
    this.#options.events.readingPaused(mustPause)
  }
}

async function withinPatience(writing: Promise<void> | undefined): Promise<void> {
  if (writing === undefined) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, patienceMs)
  await Promise.race([writing, promise])
  clearTimeout(timer)
}
