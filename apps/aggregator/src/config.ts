import type { AggregationSettings } from '@tickertape/candles'
import { isInterval } from '@tickertape/market-model'
import type { Interval } from '@tickertape/market-model'
import { logReaderKinds } from '@tickertape/kafka-avro'
import type { KafkaConnection, LogReaderKind, RegistryConnection } from '@tickertape/kafka-avro'
import {
  SettingsError,
  adminPortSetting,
  choiceSetting,
  integerSetting,
  kafkaAccess,
  kafkaSettings,
  listSetting,
  registryAccess,
  registrySettings,
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
      'Names this instance within its group, equal over restarts and no other has it: its transactional id derives from it',
  }),
  AGGREGATOR_INTERVALS: listSetting({
    default: '1s,1m,5m,15m,1h,4h,1d',
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
  AGGREGATOR_HORIZON_MS: integerSetting({
    default: '3600000',
    about:
      'How long after its close, in event time, a window takes late trades and corrections as revisions',
  }),
  AGGREGATOR_QUIET_SPAN_MS: integerSetting({
    default: '86400000',
    about: 'Flat candles of a quiet instrument end this long after its last trade',
  }),
  AGGREGATOR_GAP_SPAN_MS: integerSetting({
    default: '86400000',
    about:
      'How long after its end, in event time, an open gap keeps its windows from being forgotten',
  }),
  AGGREGATOR_READER: choiceSetting(logReaderKinds, {
    default: 'fetch',
    about: 'Who fetches market-events: fetch (less CPU) or librdkafka',
  }),
  AGGREGATOR_COMMIT_INTERVAL_MS: integerSetting({
    default: '100',
    about:
      'Longest time from reading a record to committing what came of it; ten times as long where nothing did',
  }),
  AGGREGATOR_COMMIT_RECORDS: integerSetting({
    default: '20000',
    min: 1,
    about: 'Most records in one transaction',
  }),
  AGGREGATOR_LIVE_INTERVAL_MS: integerSetting({
    default: '250',
    about: 'Least time between two candles in progress of one window; 0 writes none',
  }),
  AGGREGATOR_MAX_OPEN_TRADES: integerSetting({
    default: '1000000',
    min: 1,
    about: 'Most trades of open windows in memory, by partition; reaching it pauses the partition',
  }),
  AGGREGATOR_ADMIN_PORT: adminPortSetting(9102),
} as const

/** Settings of the command that asks for a rebuild. */
export const rebuildSettings = {
  ...kafkaSettings,
  ...registrySettings,
  TOPIC_PREFIX: sharedSettings.TOPIC_PREFIX,
  AGGREGATOR_GROUP_ID: settings.AGGREGATOR_GROUP_ID,
  REBUILD_MARGIN_MS: integerSetting({
    default: '3600000',
    about:
      'How much of the log before --from is read too: moving averages and flat candles go on from there',
  }),
} as const

export interface AggregatorConfig {
  readonly kafka: {
    readonly connection: KafkaConnection
    readonly topicPrefix: string
    readonly groupId: string
    readonly transactionalId: string
  }
  readonly registry: RegistryConnection
  readonly windows: AggregationSettings
  readonly reader: LogReaderKind
  readonly commit: { readonly intervalMs: number; readonly records: number }
  /** 0: no candles in progress. */
  readonly liveIntervalMs: number
  /** By partition. */
  readonly maxOpenTrades: number
}

export const environment = process.env

/** @throws SettingsError for an interval that does not exist. */
export function readConfig(values: SettingValues<typeof settings>): AggregatorConfig {
  const groupId = values.TOPIC_PREFIX + values.AGGREGATOR_GROUP_ID
  return {
    kafka: {
      connection: kafkaAccess(values),
      topicPrefix: values.TOPIC_PREFIX,
      groupId,
      transactionalId: `${groupId}-${values.AGGREGATOR_INSTANCE_ID}`,
    },
    registry: registryAccess(values),
    windows: {
      intervals: values.AGGREGATOR_INTERVALS.map(toInterval),
      indicators: values.AGGREGATOR_INDICATORS,
      graceMs: values.AGGREGATOR_GRACE_MS,
      futureToleranceMs: values.AGGREGATOR_FUTURE_TOLERANCE_MS,
      horizonMs: values.AGGREGATOR_HORIZON_MS,
      quietSpanMs: values.AGGREGATOR_QUIET_SPAN_MS,
      gapSpanMs: values.AGGREGATOR_GAP_SPAN_MS,
      // What stays open for longer is set aside: this is what keeps open trades below their limit.
      maxReplayedRecords: Math.min(250_000, Math.ceil(values.AGGREGATOR_MAX_OPEN_TRADES / 2)),
    },
    reader: values.AGGREGATOR_READER,
    commit: {
      intervalMs: values.AGGREGATOR_COMMIT_INTERVAL_MS,
      records: values.AGGREGATOR_COMMIT_RECORDS,
    },
    liveIntervalMs: values.AGGREGATOR_LIVE_INTERVAL_MS,
    maxOpenTrades: values.AGGREGATOR_MAX_OPEN_TRADES,
  }
}

function toInterval(text: string): Interval {
  if (isInterval(text)) return text
  throw new SettingsError([
    `AGGREGATOR_INTERVALS must list 1s, 1m, 5m, 15m, 1h, 4h or 1d, got "${text}"`,
  ])
}
