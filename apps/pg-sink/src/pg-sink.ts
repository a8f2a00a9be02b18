import {
  GroupReader,
  KafkaAvroError,
  Registry,
  requireTopics,
  topicName,
  topicOffsets,
} from '@tickertape/kafka-avro'
import type { Topic, TopicPartition } from '@tickertape/kafka-avro'
import { Database, isOutage, migrate } from '@tickertape/market-store'
import { retrying } from '@tickertape/service-runtime'
import type { RetryPolicy, RunningService, ServiceContext } from '@tickertape/service-runtime'

import type { NextOffset } from './batch.ts'
import type { PgSinkConfig } from './config.ts'
import { createEvents } from './events.ts'
import type { Dependency, PgSinkEvents } from './events.ts'
import { RecordReader } from './record-reader.ts'
import { SinkPartitions } from './sink-partitions.ts'

const readTopics: readonly Topic[] = ['market-events', 'candles', 'rejected']

/** While a read waits for records, nothing else is done: no batch written, no signal obeyed. */
const longestReadMs = 100

/** A statement that has no answer by then is taken for lost with its connection. */
const queryTimeoutMs = 60_000

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

/** @throws KafkaAvroError, MarketStoreError or PgSinkError for what will not pass by itself. */
async function run(
  config: PgSinkConfig,
  context: ServiceContext,
  signal: AbortSignal,
): Promise<void> {
  const { brokers, groupId, topicPrefix } = config.kafka
  const registry = new Registry(config.registryUrl, topicPrefix)
  const events = createEvents(context, () => lagByTopic(reader, sink.positions))
  events.joiningGroup()
  const through = throughOutages({ ...config.retry, signal }, events)
  const reader = new GroupReader({
    brokers,
    clientId: groupId,
    groupId,
    topics: readTopics.map((topic) => topicName(topic, topicPrefix)),
    maxBatch: config.batch.size,
    maxWaitMs: Math.min(Math.max(config.batch.waitMs, 1), longestReadMs),
    onWarning: (message) => events.kafkaWarning(message),
  })
  await using database = new Database(config.databaseUrl, {
    applicationName: 'pg-sink',
    queryTimeoutMs,
  })
  const sink = new SinkPartitions({
    database,
    records: new RecordReader({
      topicPrefix,
      registry,
      futureToleranceMs: config.futureToleranceMs,
      onReject: (...reject) => events.recordRejected(...reject),
    }),
    events,
    batch: config.batch,
    through,
    firstOffsets: (partitions) => firstOffsets(brokers, partitions),
    onCommitted: (positions) => reader.commitForMonitoring(positions),
  })
  await through('kafka', () => requireTopics(brokers, topicPrefix, readTopics))
  // A reader goes before its writers: what it cannot read is refused to them.
  await through('registry', () => registry.register('market-events'))
  await through('registry', () => registry.register('candles'))
  events.migrated(await through('database', () => migrate(config.databaseUrl)))
  await reader.run(sink, signal)
}

function throughOutages(policy: RetryPolicy, events: PgSinkEvents) {
  return <T>(dependency: Dependency, action: () => Promise<T>): Promise<T> =>
    retrying(action, policy, {
      isPassing: (error) => isUnavailable(dependency, error),
      onFailure: (error, retryInMs) => events.unavailable(dependency, error, retryInMs),
      onSuccess: () => events.available(dependency),
    })
}

function isUnavailable(dependency: Dependency, error: unknown): boolean {
  if (dependency === 'database') return isOutage(error)
  if (!(error instanceof KafkaAvroError)) return false
  return error.code === 'registry_unreachable' || error.code === 'broker_unreachable'
}

async function firstOffsets(
  brokers: string,
  partitions: readonly TopicPartition[],
): Promise<readonly NextOffset[]> {
  const topics = new Set(partitions.map(({ topic }) => topic))
  const lowest = new Map<string, number>()
  for (const topic of topics) {
    for (const { partition, low } of await topicOffsets(brokers, topic)) {
      lowest.set(`${topic} ${partition}`, low)
    }
  }
  return partitions.map(({ topic, partition }) => ({
    topic,
    partition,
    offset: lowest.get(`${topic} ${partition}`) ?? 0,
  }))
}

/** By what the last fetch told of each partition's end; nothing for one that was never fetched. */
function lagByTopic(
  reader: GroupReader,
  positions: Iterable<NextOffset>,
): ReadonlyMap<string, number> {
  const lags = new Map<string, number>()
  for (const { topic, partition, offset } of positions) {
    const end = reader.lastKnownEnd(topic, partition)
    if (end !== undefined) lags.set(topic, (lags.get(topic) ?? 0) + Math.max(0, end - offset))
  }
  return lags
}
