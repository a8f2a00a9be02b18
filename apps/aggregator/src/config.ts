import { isInterval } from '@tickertape/market-model'
import type { Interval } from '@tickertape/market-model'
import {
  SettingsError,
  adminPortSetting,
  integerSetting,
  listSetting,
  sharedSettings,
  textSetting,
} from '@tickertape/service-runtime'
import type { SettingValues } from '@tickertape/service-runtime'

export const settings = {
  ...sharedSettings,
  AGGREGATOR_GROUP_ID: textSetting({
    default: 'aggregator',
    about: 'Consumer group; instances of one group share the partitions',
  }),
  AGGREGATOR_INSTANCE_ID: textSetting({
    default: '0',
    about:
      'Names this instance within its group, equal over restarts: its transactional id derives from it',
  }),
  AGGREGATOR_INTERVALS: listSetting({
    default: '1s,1m',
    about: 'Candle intervals, each made of the one before it, from 1s up',
  }),
  AGGREGATOR_INDICATORS: listSetting({
    default: 'close:span=12',
    separator: ' ',
    about: 'Moving averages on each candle, separated by spaces: close:span=12 close:halflife=5',
  }),
  AGGREGATOR_GRACE_MS: integerSetting({
    default: '1000',
    about: 'How long after its end, in event time, a window waits for trades that are out of order',
  }),
  AGGREGATOR_FUTURE_TOLERANCE_MS: integerSetting({
    default: '5000',
    about: 'A trade or heartbeat further ahead of its receive time than this is rejected',
  }),
  AGGREGATOR_COMMIT_INTERVAL_MS: integerSetting({
    default: '100',
    about: 'Longest time from reading a record to committing what came of it',
  }),
  AGGREGATOR_COMMIT_RECORDS: integerSetting({
    default: '20000',
    min: 1,
    about: 'Most records in one transaction',
  }),
  AGGREGATOR_ADMIN_PORT: adminPortSetting(9102),
} as const

export interface AggregatorConfig {
  readonly kafka: {
    readonly brokers: string
    readonly topicPrefix: string
    readonly groupId: string
    readonly transactionalId: string
  }
  readonly registryUrl: string
  readonly windows: {
    readonly intervals: readonly Interval[]
    readonly indicators: readonly string[]
    readonly graceMs: number
    readonly futureToleranceMs: number
  }
  readonly commit: { readonly intervalMs: number; readonly records: number }
}

export const environment = process.env

/** @throws SettingsError for an interval that does not exist. */
export function readConfig(values: SettingValues<typeof settings>): AggregatorConfig {
  const groupId = values.TOPIC_PREFIX + values.AGGREGATOR_GROUP_ID
  return {
    kafka: {
      brokers: values.KAFKA_BROKERS,
      topicPrefix: values.TOPIC_PREFIX,
      groupId,
      transactionalId: `${groupId}-${values.AGGREGATOR_INSTANCE_ID}`,
    },
    registryUrl: values.REGISTRY_URL,
    windows: {
      intervals: values.AGGREGATOR_INTERVALS.map(toInterval),
      indicators: values.AGGREGATOR_INDICATORS,
      graceMs: values.AGGREGATOR_GRACE_MS,
      futureToleranceMs: values.AGGREGATOR_FUTURE_TOLERANCE_MS,
    },
    commit: {
      intervalMs: values.AGGREGATOR_COMMIT_INTERVAL_MS,
      records: values.AGGREGATOR_COMMIT_RECORDS,
    },
  }
}

function toInterval(text: string): Interval {
  if (isInterval(text)) return text
  throw new SettingsError([
    `AGGREGATOR_INTERVALS must list 1s, 1m, 5m, 15m, 1h, 4h or 1d, got "${text}"`,
  ])
}
