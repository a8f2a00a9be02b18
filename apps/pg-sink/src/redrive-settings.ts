import { kafkaSettings, registrySettings } from '@tickertape/service-runtime'

import { settings } from './config.ts'

/** Settings of the command that puts rejected records back; the service's own. */
export const redriveSettings = {
  ...kafkaSettings,
  ...registrySettings,
  TOPIC_PREFIX: settings.TOPIC_PREFIX,
  DATABASE_URL: settings.DATABASE_URL,
  DATABASE_SCHEMA: settings.DATABASE_SCHEMA,
  PG_SINK_FUTURE_TOLERANCE_MS: settings.PG_SINK_FUTURE_TOLERANCE_MS,
} as const
