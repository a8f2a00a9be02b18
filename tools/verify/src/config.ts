import { intervals } from '@tickertape/market-model'
import type { Interval } from '@tickertape/market-model'
import {
  SettingsError,
  databaseUrlSetting,
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

import type { VerifyOptions } from './verify.ts'

export const settings = {
  ...kafkaSettings,
  ...registrySettings,
  TOPIC_PREFIX: sharedSettings.TOPIC_PREFIX,
  DATABASE_URL: databaseUrlSetting('PostgreSQL database that holds trades and candles'),
  DATABASE_SCHEMA: textSetting({
    default: 'public',
    about: 'Schema of the database that holds the tables',
  }),
  VERIFY_AGGREGATOR_GROUP_ID: textSetting({
    default: 'aggregator',
    about: 'As AGGREGATOR_GROUP_ID',
  }),
  VERIFY_INTERVALS: listSetting({
    default: intervals.join(','),
    about: 'As AGGREGATOR_INTERVALS',
  }),
  VERIFY_GRACE_MS: integerSetting({ default: '1000', about: 'As AGGREGATOR_GRACE_MS' }),
  VERIFY_QUIET_SPAN_MS: integerSetting({
    default: '86400000',
    about: 'As AGGREGATOR_QUIET_SPAN_MS',
  }),
  VERIFY_WAIT_MS: integerSetting({
    default: '60000',
    about: 'Longest wait for the aggregator and the sink to come to where the sink is at the start',
  }),
  VERIFY_SHOWN_DIFFERENCES: integerSetting({
    default: '20',
    about: 'How many differences are listed; all are counted',
  }),
} as const

export const environment = process.env

/** @throws SettingsError for intervals that the aggregator cannot have. */
export function readConfig(values: SettingValues<typeof settings>): VerifyOptions {
  return {
    connection: kafkaAccess(values),
    registry: registryAccess(values),
    databaseUrl: values.DATABASE_URL,
    databaseSchema: values.DATABASE_SCHEMA,
    topicPrefix: values.TOPIC_PREFIX,
    aggregatorGroupId: values.TOPIC_PREFIX + values.VERIFY_AGGREGATOR_GROUP_ID,
    intervals: toIntervals(values.VERIFY_INTERVALS),
    graceMs: values.VERIFY_GRACE_MS,
    quietSpanMs: values.VERIFY_QUIET_SPAN_MS,
    waitMs: values.VERIFY_WAIT_MS,
    shownDifferences: values.VERIFY_SHOWN_DIFFERENCES,
  }
}

function toIntervals(names: readonly string[]): readonly Interval[] {
  const tree = intervals.slice(0, names.length)
  if (names.length > 0 && tree.join() === names.join()) return tree
  throw new SettingsError([
    `VERIFY_INTERVALS must be the beginning of ${intervals.join(',')}, got "${names.join(',')}"`,
  ])
}
