import {
  adminPortSetting,
  integerSetting,
  sharedSettings,
  textSetting,
  urlSetting,
} from '@tickertape/service-runtime'
import type { SettingValues } from '@tickertape/service-runtime'

export const settings = {
  ...sharedSettings,
  DATABASE_URL: urlSetting(['postgres', 'postgresql'], {
    default: 'postgres://tickertape:tickertape@127.0.0.1:15432/tickertape',
    about: 'PostgreSQL database that holds trades and candles',
  }),
  PG_SINK_GROUP_ID: textSetting({
    default: 'pg-sink',
    about: 'Consumer group; instances of one group share the partitions',
  }),
  PG_SINK_BATCH_SIZE: integerSetting({
    default: '5000',
    min: 1,
    max: 100_000,
    about: 'Records that fill a batch: one database transaction',
  }),
  PG_SINK_BATCH_WAIT_MS: integerSetting({
    default: '50',
    about: 'Longest wait for a batch to fill',
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
  PG_SINK_FUTURE_TOLERANCE_MS: integerSetting({
    default: '5000',
    about:
      'A heartbeat further ahead of its receive time than this moves no watermark; as AGGREGATOR_FUTURE_TOLERANCE_MS',
  }),
  PG_SINK_ADMIN_PORT: adminPortSetting(9103),
} as const

export interface PgSinkConfig {
  readonly kafka: {
    readonly brokers: string
    readonly topicPrefix: string
    readonly groupId: string
  }
  readonly registryUrl: string
  readonly databaseUrl: string
  readonly batch: { readonly size: number; readonly waitMs: number }
  readonly retry: { readonly firstMs: number; readonly maxMs: number }
  readonly futureToleranceMs: number
}

export const environment = process.env

export function readConfig(values: SettingValues<typeof settings>): PgSinkConfig {
  return {
    kafka: {
      brokers: values.KAFKA_BROKERS,
      topicPrefix: values.TOPIC_PREFIX,
      groupId: values.TOPIC_PREFIX + values.PG_SINK_GROUP_ID,
    },
    registryUrl: values.REGISTRY_URL,
    databaseUrl: values.DATABASE_URL,
    batch: { size: values.PG_SINK_BATCH_SIZE, waitMs: values.PG_SINK_BATCH_WAIT_MS },
    retry: {
      firstMs: values.PG_SINK_RETRY_BACKOFF_MS,
      maxMs: values.PG_SINK_RETRY_BACKOFF_MAX_MS,
    },
    futureToleranceMs: values.PG_SINK_FUTURE_TOLERANCE_MS,
  }
}
