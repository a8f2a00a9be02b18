import type { TopicPartition } from '@tickertape/kafka-avro'
import { Counter, Gauge, Histogram } from '@tickertape/service-runtime'
import type { ServiceContext } from '@tickertape/service-runtime'

import type { WrittenRows } from './batch-writer.ts'
import type { RecordPosition } from './batch.ts'

/** Everything that happens in the sink and that somebody outside should know of. */
export type PgSinkEvents = ReturnType<typeof createEvents>

/** What the sink waits for when it cannot go on. */
export type Dependency = 'database' | 'registry' | 'kafka'

export interface CommittedBatch {
  readonly records: number
  /** Trades that the batch held; those beyond `rows.trades` were there already. */
  readonly trades: number
  readonly rows: WrittenRows
  /** From the first record's arrival to the commit. */
  readonly batchSeconds: number
  /** From the begin of the transaction that succeeded to its commit. */
  readonly commitSeconds: number
  /** ms since the epoch; undefined without trades. */
  readonly lastEventTime: number | undefined
}

const seconds = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]

/** @param lagByTopic records between what is read and the end of the log, asked at every scrape. */
export function createEvents(
  { logger, metrics, readiness }: ServiceContext,
  lagByTopic: () => ReadonlyMap<string, number>,
) {
  const registers = [metrics]
  const rowCount = new Counter({
    name: 'pg_sink_rows_total',
    help: 'Rows written, by table',
    labelNames: ['table'],
    registers,
  })
  const duplicates = new Counter({
    name: 'pg_sink_duplicates_total',
    help: 'Trades whose identity was stored already',
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
    help: 'Batches committed',
    registers,
  })
  const batchRecords = new Histogram({
    name: 'pg_sink_batch_records',
    help: 'Records in a batch',
    buckets: [1, 10, 100, 500, 1_000, 2_000, 5_000, 10_000, 20_000],
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
      for (const [topic, records] of lagByTopic()) this.set({ topic }, records)
    },
  })

  return {
    joiningGroup(): void {
      readiness.waitFor('partitions', 'joining the consumer group')
    },
    migrated(migrations: readonly string[]): void {
      if (migrations.length > 0) logger.info({ migrations }, 'database migrated')
    },
    partitionsClaimed(partitions: readonly RecordPosition[]): void {
      readiness.ready('partitions')
      logger.info({ partitions: partitions.map(describe) }, 'partitions assigned')
    },
    partitionsRevoked(partitions: readonly TopicPartition[], lost: boolean): void {
      lag.reset()
      readiness.waitFor('partitions', 'partitions were revoked')
      logger.info(
        { partitions: partitions.map(({ topic, partition }) => `${topic}[${partition}]`), lost },
        'partitions revoked',
      )
    },
    recordRejected(reason: string, explanation: string, position: RecordPosition): void {
      rejects.inc({ reason })
      const { topic, partition, offset } = position
      logger.warn({ reason, topic, partition, offset }, `record rejected: ${explanation}`)
    },
    batchCommitted(batch: CommittedBatch): void {
      batches.inc()
      batchRecords.observe(batch.records)
      batchSeconds.observe(batch.batchSeconds)
      commitSeconds.observe(batch.commitSeconds)
      for (const [table, count] of Object.entries(batch.rows)) rowCount.inc({ table }, count)
      duplicates.inc(batch.trades - batch.rows.trades)
      if (batch.lastEventTime !== undefined) lastEventTime.set(batch.lastEventTime / 1_000)
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
    },
    kafkaWarning(message: string): void {
      logger.warn({ kafka: message }, 'Kafka client: it retries by itself')
    },
  }
}

function describe({ topic, partition, offset }: RecordPosition): string {
  return `${topic}[${partition}]@${offset}`
}
