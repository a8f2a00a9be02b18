import { logReaderKinds } from '@tickertape/kafka-avro'
import type {
  KafkaConnection,
  LogReaderKind,
  RegistryConnection,
  Topic,
} from '@tickertape/kafka-avro'
import {
  SettingsError,
  adminPortSetting,
  choiceSetting,
  databaseUrlSetting,
  integerSetting,
  kafkaAccess,
  listSetting,
  registryAccess,
  sharedSettings,
  textSetting,
} from '@tickertape/service-runtime'
import type { SettingValues } from '@tickertape/service-runtime'

/** Those that have a table. */
export const sinkTopics = [
  'market-events',
  'candles',
  'rejected',
] as const satisfies readonly Topic[]
export type SinkTopic = (typeof sinkTopics)[number]

export const settings = {
  ...sharedSettings,
  DATABASE_URL: databaseUrlSetting('PostgreSQL database that holds trades and candles'),
  DATABASE_SCHEMA: textSetting({
    default: 'public',
    about: 'Schema of the database that holds the tables; made if it is missing',
  }),
  PG_SINK_GROUP_ID: textSetting({
    default: 'pg-sink',
    about: 'Consumer group; instances of one group share the partitions',
  }),
  PG_SINK_TOPICS: listSetting({
    default: sinkTopics.join(','),
    about: 'Which topics are written, each into tables of its own',
  }),
  PG_SINK_READER: choiceSetting(logReaderKinds, {
    default: 'fetch',
    about: 'Who fetches the records: fetch (less CPU) or librdkafka',
  }),
  PG_SINK_BATCH_SIZE: integerSetting({
    default: '20000',
    min: 1,
    max: 100_000,
    about: 'Most records in a batch: one database transaction',
  }),
  PG_SINK_BATCH_WAIT_MS: integerSetting({
    default: '50',
    about: 'Longest wait for a batch to fill while the database is idle',
  }),
  PG_SINK_COMMIT_TARGET_MS: integerSetting({
    default: '250',
    min: 1,
    about: 'How long the transaction of a full batch should take: batches grow and shrink by it',
  }),
  PG_SINK_ERRORS_TOLERANCE: choiceSetting(['all', 'none'], {
    default: 'all',
    about: 'A record that cannot be stored: all puts it into rejected, none stops the sink',
  }),
  PG_SINK_MAX_RETRIES: textSetting({
    default: '',
    about:
      'Times that a batch which the database refuses for other reasons than its rows is tried again before the sink stops; empty: without end. Outages are always waited for',
  }),
  PG_SINK_RETRY_BACKOFF_MS: integerSetting({
    default: '200',
    min: 1,
    about: 'First wait before a failed batch is tried again; it doubles from try to try',
  }),
  PG_SINK_RETRY_BACKOFF_MAX_MS: integerSetting({
    default: '5000',
    min: 1,
    about: 'Longest wait between two tries',
  }),
  PG_SINK_TRADES_RETENTION_DAYS: integerSetting({
    default: '0',
    about: 'Days that trades are kept, by the day of their event time; 0 keeps all',
  }),
  PG_SINK_FUTURE_TOLERANCE_MS: integerSetting({
    default: '5000',
    about:
      'A heartbeat further ahead of its receive time than this moves no watermark; as AGGREGATOR_FUTURE_TOLERANCE_MS',
  }),
  PG_SINK_ADMIN_PORT: adminPortSetting(9103),
} as const

export interface PgSinkConfig {
  readonly kafka: {
    readonly connection: KafkaConnection
    readonly topicPrefix: string
    readonly groupId: string
    readonly topics: readonly SinkTopic[]
    readonly reader: LogReaderKind
  }
  readonly registry: RegistryConnection
  readonly databaseUrl: string
  readonly databaseSchema: string
  readonly batch: {
    /** Most records. */
    readonly size: number
    readonly waitMs: number
    readonly commitTargetMs: number
  }
  readonly toleratesErrors: boolean
  readonly retry: {
    readonly firstMs: number
    readonly maxMs: number
    /** Of what the database refuses; Infinity for no limit. */
    readonly maxRetries: number
  }
  /** 0: for ever. */
  readonly tradesRetentionDays: number
  readonly futureToleranceMs: number
}

export const environment = process.env

/** @throws SettingsError */
export function readConfig(values: SettingValues<typeof settings>): PgSinkConfig {
  return {
    kafka: {
      connection: kafkaAccess(values),
      topicPrefix: values.TOPIC_PREFIX,
      groupId: values.TOPIC_PREFIX + values.PG_SINK_GROUP_ID,
      topics: toTopics(values.PG_SINK_TOPICS),
      reader: values.PG_SINK_READER,
    },
    registry: registryAccess(values),
    databaseUrl: values.DATABASE_URL,
    databaseSchema: values.DATABASE_SCHEMA,
    batch: {
      size: values.PG_SINK_BATCH_SIZE,
      waitMs: values.PG_SINK_BATCH_WAIT_MS,
      commitTargetMs: values.PG_SINK_COMMIT_TARGET_MS,
    },
    toleratesErrors: values.PG_SINK_ERRORS_TOLERANCE === 'all',
    retry: {
      firstMs: values.PG_SINK_RETRY_BACKOFF_MS,
      maxMs: values.PG_SINK_RETRY_BACKOFF_MAX_MS,
      maxRetries: toRetries(values.PG_SINK_MAX_RETRIES),
    },
    tradesRetentionDays: values.PG_SINK_TRADES_RETENTION_DAYS,
    futureToleranceMs: values.PG_SINK_FUTURE_TOLERANCE_MS,
  }
}

function toTopics(names: readonly string[]): readonly SinkTopic[] {
  const topics = sinkTopics.filter((topic) => names.includes(topic))
  const known: readonly string[] = sinkTopics
  if (topics.length > 0 && names.every((name) => known.includes(name))) return topics
  throw new SettingsError([
    `PG_SINK_TOPICS must list some of ${sinkTopics.join(', ')}, got "${names.join(',')}"`,
  ])
}

function toRetries(text: string): number {
  if (text === '') return Infinity
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new SettingsError([
    `PG_SINK_MAX_RETRIES must be empty or a non-negative integer, got "${text}"`,
  ])
}
