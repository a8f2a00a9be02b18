import {
  GroupLag,
  Registry,
  createLogReader,
  followRetention,
  requireTopics,
  topicName,
  topicOffsets,
  withGroupLag,
} from '@tickertape/kafka-avro'
import type { KafkaConnection, LogReader, Topic, TopicPartition } from '@tickertape/kafka-avro'
import { Database, dropTradePartitionsBefore, migrate } from '@tickertape/market-store'
import type { RunningService, ServiceContext } from '@tickertape/service-runtime'

import { BatchWriter } from './batch-writer.ts'
import type { NextOffset } from './batch.ts'
import type { PgSinkConfig } from './config.ts'
import { DatabaseWatch } from './database-watch.ts'
import { createEvents } from './events.ts'
import type { PgSinkEvents, SinkState } from './events.ts'
import { RecordReader } from './record-reader.ts'
import { RejectLog } from './reject-log.ts'
import { SinkPartitions } from './sink-partitions.ts'
import { SinkTraces } from './sink-traces.ts'
import { throughFaults } from './through-faults.ts'
import type { Through } from './through-faults.ts'
import { TradeDays } from './trade-days.ts'
import { keepTradePartitions } from './trade-retention.ts'

/** While a read waits for records, nothing else is done: no batch written, no signal obeyed. */
const longestReadMs = 100

/** Records that are decoded at a stretch: 2 ms, in which the database's answers wait. */
const mostRecordsAtOnce = 500

/** One that is being written, and one that is being collected. */
const batchesInHand = 2

/** A statement that has no answer by then is taken for lost with its connection. */
const queryTimeoutMs = 60_000

/** The writer's, the upkeep's, and one for what is asked meanwhile. */
const connections = 3

/**
 * Writes trades, candles and rejected records into PostgreSQL, each exactly once: rows and offsets in
 * one database transaction, reading on from these offsets alone. What it depends on may be away, at the
 * start as well as later: it is waited for.
 */
export function startPgSink(config: PgSinkConfig, context: ServiceContext): RunningService {
  const stopping = new AbortController()
  const ended = run(config, context, stopping.signal)
  const failed = Promise.withResolvers<never>()
  ended.catch(failed.reject)
  return {
    failed: failed.promise,
    [Symbol.asyncDispose]: async () => {
      stopping.abort()
      // A failure was already told through `failed`; what was waited for in vain is read again.
      await ended.catch(() => undefined)
    },
  }
}

/** What all sessions of the sink share. */
interface Sink {
  readonly config: PgSinkConfig
  readonly registry: Registry
  readonly database: Database
  readonly days: TradeDays
  readonly rejects: RejectLog
  readonly events: PgSinkEvents
  readonly traces: SinkTraces
  /** Changes from session to session. */
  session:
    | {
        readonly reader: LogReader
        readonly partitions: SinkPartitions
        readonly lag: GroupLag
      }
    | undefined
}

/** @throws KafkaAvroError, MarketStoreError or PgSinkError for what will not pass by itself. */
async function run(
  config: PgSinkConfig,
  context: ServiceContext,
  signal: AbortSignal,
): Promise<void> {
  const { connection, groupId, topicPrefix, topics } = config.kafka
  const registry = new Registry(config.registry, topicPrefix)
  const events = createEvents(context, groupId, () => stateOf(sink))
  events.joiningGroup()
  await using database = new Database(config.databaseUrl, {
    applicationName: 'pg-sink',
    queryTimeoutMs,
    maxConnections: connections,
    schema: config.databaseSchema,
  })
  await using rejects = new RejectLog({
    connection,
    clientId: groupId,
    topicPrefix,
    onStatistics: events.kafka.librdkafka('rejects'),
  })
  const { databaseUrl, databaseSchema } = config
  await using _watch = new DatabaseWatch({ databaseUrl, databaseSchema, events })
  const days = new TradeDays(database, (partitions) => events.tradePartitionsMade(partitions))
  const traces = new SinkTraces({ tracing: context.tracing, groupId, topicPrefix })
  const sink: Sink = {
    config,
    registry,
    database,
    days,
    rejects,
    events,
    traces,
    session: undefined,
  }
  const through = throughFaults({ ...config.retry, signal }, events)
  const needed: readonly Topic[] = config.toleratesErrors ? [...topics, 'rejected'] : topics
  await through('kafka', () => requireTopics(connection, topicPrefix, [...new Set(needed)]))
  // A reader goes before its writers: what it cannot read is refused to them.
  for (const topic of topics) {
    if (topic !== 'rejected') await through('registry', () => registry.register(topic))
  }
  events.migrated(
    await through('database', () => migrate(config.databaseUrl, { schema: config.databaseSchema })),
  )
  // Whichever of the two fails ends the other.
  const ending = new AbortController()
  const ended = AbortSignal.any([signal, ending.signal])
  const reading = through('kafka', () => runSession(sink, ended))
  const upkeep = keepTradePartitions(
    {
      ensure: (wanted) => through('database', () => days.ensure(wanted)),
      dropBefore: async (day) => {
        const dropped = await through('database', () => dropTradePartitionsBefore(database, day))
        if (dropped.length > 0) days.forget()
        events.tradePartitionsDropped(dropped)
      },
    },
    config.tradesRetentionDays,
    ended,
  )
  const names = topics.map((topic) => topicName(topic, topicPrefix))
  const retention = followRetention(
    { connection, topics: names },
    (topic, seconds) => events.group.retention(topic, seconds),
    (message) => events.kafkaWarning(message),
    ended,
  )
  try {
    await Promise.all([reading, upkeep])
  } finally {
    ending.abort()
    await Promise.allSettled([reading, upkeep, retention])
  }
}

/** Reads as a member of the group until the signal; after a fault the next session is another member. */
async function runSession(sink: Sink, signal: AbortSignal): Promise<void> {
  const { config, events } = sink
  const { connection, groupId, topicPrefix, topics, reader: kind } = config.kafka
  // What a session that has failed still waits for is given up.
  const ending = new AbortController()
  const ended = AbortSignal.any([signal, ending.signal])
  const through = throughFaults({ ...config.retry, signal: ended }, events)
  const fetches = events.kafka.fetching('fetch')
  const reader = createLogReader(kind, {
    connection,
    clientId: groupId,
    groupId,
    topics: topics.map((topic) => topicName(topic, topicPrefix)),
    maxBatch: Math.min(config.batch.size, mostRecordsAtOnce),
    maxWaitMs: Math.min(Math.max(config.batch.waitMs, 1), longestReadMs),
    onWarning: (message) => events.kafkaWarning(message),
    onStatistics: events.kafka.librdkafka('group'),
    fetches,
  })
  fetches.queuedWith(() => reader.fetchQueue)
  const lag = new GroupLag()
  const partitions = createPartitions(sink, { reader, lag, through }, ended)
  sink.session = { reader, partitions, lag }
  events.group.measureLagWith(() => lag.lags(reader, Date.now()))
  try {
    await reader.run(withGroupLag(partitions, lag, reader), signal)
  } finally {
    sink.session = undefined
    events.group.measureLagWith(undefined)
    ending.abort()
  }
}

function createPartitions(
  { config, registry, database, days, rejects, events, traces }: Sink,
  {
    reader,
    lag,
    through,
  }: { readonly reader: LogReader; readonly lag: GroupLag; readonly through: Through },
  signal: AbortSignal,
): SinkPartitions {
  const { connection, topicPrefix } = config.kafka
  const records = new RecordReader({
    topicPrefix,
    registry,
    futureToleranceMs: config.futureToleranceMs,
  })
  const writer = new BatchWriter({
    database,
    records,
    days,
    toleratesErrors: config.toleratesErrors,
    through,
    announce: (found) => through('kafka', () => rejects.append(found, signal)),
    onFallBack: (mode, error) => events.batchFellBack(mode, error),
  })
  return new SinkPartitions({
    database,
    records,
    writer,
    events: {
      ...events,
      batchCommitted: (batch) => {
        for (const last of batch.lastAppends) lag.committed(last, last.appendedAt)
        events.batchCommitted(batch)
      },
    },
    traces,
    batch: config.batch,
    through,
    firstOffsets: (partitions) => firstOffsets(connection, partitions),
    reader,
  })
}

async function firstOffsets(
  connection: KafkaConnection,
  partitions: readonly TopicPartition[],
): Promise<readonly NextOffset[]> {
  const topics = new Set(partitions.map(({ topic }) => topic))
  const lowest = new Map<string, number>()
  for (const topic of topics) {
    for (const { partition, low } of await topicOffsets(connection, topic)) {
      lowest.set(`${topic} ${partition}`, low)
    }
  }
  return partitions.map(({ topic, partition }) => ({
    topic,
    partition,
    offset: lowest.get(`${topic} ${partition}`) ?? 0,
  }))
}

function stateOf(sink: Sink): SinkState {
  const { session, config } = sink
  return {
    lagByTopic: lagByTopic(sink),
    pendingRecords: session?.lag.pending,
    pendingRecordsLimit: batchesInHand * config.batch.size + mostRecordsAtOnce,
  }
}

/**
 * By what the last fetch told of each partition's end. Nothing of a topic before each of its partitions was
 * fetched: 0 for those that were would say that there is nothing to do.
 */
function lagByTopic({ session }: Sink): ReadonlyMap<string, number> {
  const lags = new Map<string, number>()
  for (const { topic, partition, offset } of session?.partitions.positions ?? []) {
    const end = session?.reader.lastKnownEnd(topic, partition)
    const lag = end === undefined ? Number.NaN : Math.max(0, end - offset)
    lags.set(topic, (lags.get(topic) ?? 0) + lag)
  }
  for (const [topic, lag] of lags) if (Number.isNaN(lag)) lags.delete(topic)
  return lags
}
