import type { TopicPartition } from '@tickertape/kafka-avro'
import {
  Counter,
  Gauge,
  Histogram,
  createConsumerGroupMetrics,
  createKafkaClientMetrics,
} from '@tickertape/service-runtime'
import type { ServiceContext } from '@tickertape/service-runtime'
import { contextOf, traceFields } from '@tickertape/tracing'

import type { WrittenRows } from './batch-rows.ts'
import type { WritingMode } from './batch-writer.ts'
import type { RecordPosition, Reject } from './batch.ts'
import { createDatabaseMetrics } from './database-metrics.ts'
import type { DatabaseFacts } from './database-metrics.ts'
import { newestByTopic } from './last-appends.ts'
import type { LastAppend } from './last-appends.ts'

/** Everything that happens in the sink and that somebody outside should know of. */
export type PgSinkEvents = ReturnType<typeof createEvents>

/** What the sink waits for when it cannot go on. */
export type Dependency = 'database' | 'registry' | 'kafka'

export interface CommittedBatch {
  readonly records: number
  /** Trades that the batch held; those beyond `rows.trades` were there already. */
  readonly trades: number
  /** Trades that were left out, for they had come before. */
  readonly knownTrades: number
  readonly rows: WrittenRows
  readonly mode: WritingMode
  readonly rejects: readonly Reject[]
  /** From the first record's arrival to the commit. */
  readonly batchSeconds: number
  /** From the begin of the transaction that succeeded to its commit. */
  readonly commitSeconds: number
  /** ms since the epoch; undefined without trades. */
  readonly lastEventTime: number | undefined
  readonly lastAppends: readonly LastAppend[]
  /** Records that make a batch full from now on. */
  readonly sizeOfFull: number
}

/** Of one batch. */
const toldRejects = 10

const freshnessSeconds = [0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 5, 10, 30, 300]

const seconds = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]

/** What stands now, asked at every scrape. */
export interface SinkState {
  /** By topic, records between what is read and the end of the log. */
  readonly lagByTopic: ReadonlyMap<string, number>
  /** Records that are read and not committed; undefined while there is no session. */
  readonly pendingRecords: number | undefined
  readonly pendingRecordsLimit: number
}

export function createEvents(
  { logger, metrics, readiness }: Pick<ServiceContext, 'logger' | 'metrics' | 'readiness'>,
  groupId: string,
  state: () => SinkState,
) {
  const registers = [metrics]
  const kafka = createKafkaClientMetrics(metrics)
  const group = createConsumerGroupMetrics(metrics, groupId)
  /** When it began to wait for partitions. */
  let unassignedSince = performance.now()
  let databaseFacts: DatabaseFacts | undefined
  createDatabaseMetrics(metrics, () => databaseFacts)
  const rowCount = new Counter({
    name: 'pg_sink_rows_total',
    help: 'Rows written, by table',
    labelNames: ['table'],
    registers,
  })
  const duplicates = new Counter({
    name: 'pg_sink_duplicates_total',
    help: 'Trades that had come before, by who knew: memory, or the database',
    labelNames: ['known_by'],
    registers,
  })
  const rejects = new Counter({
    name: 'pg_sink_rejected_total',
    help: 'Records that the sink could not use, by reason',
    labelNames: ['reason'],
    registers,
  })
  const batches = new Counter({
    name: 'pg_sink_batches_total',
    help: 'Batches committed, by how: direct (COPY), staged (trades that are there left out), halved (in search of a row that cannot be stored)',
    labelNames: ['mode'],
    registers,
  })
  const fallbacks = new Counter({
    name: 'pg_sink_fallbacks_total',
    help: 'Transactions undone for a row that is there already or cannot be stored, by how the batch is written then',
    labelNames: ['mode'],
    registers,
  })
  const fullBatch = new Gauge({
    name: 'pg_sink_full_batch_records',
    help: 'Records that make a batch full, by what commits took lately',
    registers,
  })
  const paused = new Gauge({
    name: 'pg_sink_paused',
    help: '1 while nothing is read because the database takes no more',
    registers,
  })
  const refusing = new Gauge({
    name: 'pg_sink_refused_by_database',
    help: '1 while the database refuses to write for reasons that do not pass by themselves',
    registers,
  })
  const partitionsMade = new Counter({
    name: 'pg_sink_trade_partitions_made_total',
    help: 'Partitions of trades that were made',
    registers,
  })
  const partitionsDropped = new Counter({
    name: 'pg_sink_trade_partitions_dropped_total',
    help: 'Partitions of trades that were dropped by retention',
    registers,
  })
  const batchRecords = new Histogram({
    name: 'pg_sink_batch_records',
    help: 'Records in a batch',
    buckets: [1, 10, 100, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000],
    registers,
  })
  const batchSeconds = new Histogram({
    name: 'pg_sink_batch_seconds',
    help: 'From the arrival of a batch’s first record to its commit',
    buckets: seconds,
    registers,
  })
  const commitSeconds = new Histogram({
    name: 'pg_sink_commit_seconds',
    help: 'From the begin of a database transaction to its commit',
    buckets: seconds,
    registers,
  })
  const retries = new Counter({
    name: 'pg_sink_retries_total',
    help: 'Attempts that failed and are made again, by what was not available',
    labelNames: ['dependency'],
    registers,
  })
  const overtakings = new Counter({
    name: 'pg_sink_overtaken_total',
    help: 'Times that another instance had taken over partitions that were still being written here',
    registers,
  })
  const lastEventTime = new Gauge({
    name: 'pg_sink_last_event_time_seconds',
    help: 'Newest event time among the trades of the last batch, in seconds since the epoch',
    registers,
  })
  const lag = new Gauge({
    name: 'pg_sink_lag_records',
    help: 'Offsets between what is read and the end of the log, by topic; the markers of transactions count',
    labelNames: ['topic'],
    registers,
    collect() {
      for (const [topic, records] of state().lagByTopic) this.set({ topic }, records)
    },
  })
  const freshness = new Histogram({
    name: 'pg_sink_freshness_seconds',
    help: 'From Kafka’s append of a batch’s last record of a topic to its commit',
    labelNames: ['topic'],
    buckets: freshnessSeconds,
    registers,
  })
  const rebalances = new Counter({
    name: 'pg_sink_rebalances_total',
    help: 'Assignments of partitions to this instance, an empty one included',
    registers,
  })
  const rebalanceSeconds = new Histogram({
    name: 'pg_sink_rebalance_seconds',
    help: 'From joining the group, or letting partitions go, to the next assignment being taken over',
    buckets: [0.05, 0.1, 0.2, 0.5, 1, 2, 3, 5, 10, 30, 60],
    registers,
  })
  const pending: Gauge = new Gauge({
    name: 'pg_sink_pending_records',
    help: 'Records that are read and not committed',
    registers,
    collect: () => pending.set(state().pendingRecords ?? 0),
  })
  const pendingLimit: Gauge = new Gauge({
    name: 'pg_sink_pending_records_limit',
    help: 'Records that may be read and not committed before reading pauses',
    registers,
    collect: () => pendingLimit.set(state().pendingRecordsLimit),
  })

  /** Many of them are one cause: the first few of a batch are told one by one. */
  function tellRejects(rejected: readonly Reject[]): void {
    for (const { reason } of rejected) rejects.inc({ reason })
    for (const { record, reason, message } of rejected.slice(0, toldRejects)) {
      const { topic, partition, offset } = record
      const trace = traceFields(contextOf(record.headers))
      logger.warn({ reason, topic, partition, offset, ...trace }, `record rejected: ${message}`)
    }
    const more = rejected.length - toldRejects
    if (more > 0) logger.warn({ more }, 'more records of this batch were rejected')
  }

  return {
    kafka,
    group,
    databaseAsked(facts: DatabaseFacts | undefined): void {
      databaseFacts = facts
    },
    joiningGroup(): void {
      unassignedSince = performance.now()
      readiness.waitFor('partitions', 'joining the consumer group')
    },
    migrated(migrations: readonly string[]): void {
      if (migrations.length > 0) logger.info({ migrations }, 'database migrated')
    },
    partitionsClaimed(partitions: readonly RecordPosition[]): void {
      rebalances.inc()
      rebalanceSeconds.observe((performance.now() - unassignedSince) / 1_000)
      readiness.ready('partitions')
      readiness.ready('kafka')
      logger.info({ partitions: partitions.map(describe) }, 'partitions assigned')
    },
    partitionsRevoked(partitions: readonly TopicPartition[], lost: boolean): void {
      lag.reset()
      paused.set(0)
      unassignedSince = performance.now()
      readiness.waitFor('partitions', 'partitions were revoked')
      logger.info(
        { partitions: partitions.map(({ topic, partition }) => `${topic}[${partition}]`), lost },
        'partitions revoked',
      )
    },
    batchCommitted(batch: CommittedBatch): void {
      batches.inc({ mode: batch.mode })
      batchRecords.observe(batch.records)
      batchSeconds.observe(batch.batchSeconds)
      commitSeconds.observe(batch.commitSeconds)
      fullBatch.set(batch.sizeOfFull)
      refusing.set(0)
      for (const [table, count] of Object.entries(batch.rows)) rowCount.inc({ table }, count)
      duplicates.inc({ known_by: 'memory' }, batch.knownTrades)
      if (batch.mode === 'staged') {
        duplicates.inc({ known_by: 'database' }, Math.max(0, batch.trades - batch.rows.trades))
      }
      if (batch.lastEventTime !== undefined) lastEventTime.set(batch.lastEventTime / 1_000)
      for (const [topic, appendedAt] of newestByTopic(batch.lastAppends)) {
        freshness.observe({ topic }, Math.max(0, Date.now() - appendedAt) / 1_000)
      }
      tellRejects(batch.rejects)
    },
    batchFellBack(mode: WritingMode, error: unknown): void {
      fallbacks.inc({ mode })
      const message = error instanceof Error ? error.message : String(error)
      if (mode === 'halved') {
        logger.warn({ err: error }, `a row cannot be stored, looking for it: ${message}`)
      } else {
        logger.debug({ mode, message }, 'some trades are there already')
      }
    },
    readingPaused(isPaused: boolean): void {
      paused.set(isPaused ? 1 : 0)
    },
    tradePartitionsMade(partitions: readonly string[]): void {
      partitionsMade.inc(partitions.length)
      logger.info({ partitions }, 'partitions of trades made')
    },
    tradePartitionsDropped(partitions: readonly string[]): void {
      partitionsDropped.inc(partitions.length)
      if (partitions.length > 0) logger.info({ partitions }, 'partitions of trades dropped')
    },
    /** Another instance has its partitions. If it happens all the time, two groups write into one database. */
    overtaken(error: Error, rejoinInMs: number): void {
      overtakings.inc()
      readiness.waitFor('partitions', 'another instance has taken over: joining the group again')
      logger.warn({ rejoinInMs }, error.message)
    },
    /** The database says no, and will until somebody mends it. */
    refused(error: unknown, retryInMs: number, retriesLeft: number): void {
      retries.inc({ dependency: 'database' })
      refusing.set(1)
      const message = error instanceof Error ? error.message : String(error)
      readiness.waitFor('database', `the database refuses to write: ${message}`)
      logger.error(
        { err: error, retryInMs, retriesLeft },
        `the database refuses to write (${message}): nothing is lost, reading pauses; mend the database, the sink tries on`,
      )
    },
    unavailable(dependency: Dependency, error: unknown, retryInMs: number): void {
      retries.inc({ dependency })
      const message = error instanceof Error ? error.message : String(error)
      readiness.waitFor(dependency, `${dependency} is not available: ${message}`)
      logger.warn(
        { err: error, dependency, retryInMs },
        `${dependency} is not available: trying on`,
      )
    },
    available(dependency: Dependency): void {
      readiness.ready(dependency)
      if (dependency === 'database') refusing.set(0)
    },
    kafkaWarning(message: string): void {
      logger.warn({ kafka: message }, 'Kafka client: it retries by itself')
    },
  }
}

function describe({ topic, partition, offset }: RecordPosition): string {
  return `${topic}[${partition}]@${offset}`
}
