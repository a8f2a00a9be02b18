import {
  adminPortSetting,
  integerSetting,
  sharedSettings,
  textSetting,
  urlSetting,
} from '@tickertape/service-runtime'
import type { SettingValues } from '@tickertape/service-runtime'

import { protectionSettings, readProtectionConfig } from './protection/settings.ts'
import type { ProtectionConfig } from './protection/settings.ts'

export const settings = {
  ...sharedSettings,
  DATABASE_URL: urlSetting(['postgres', 'postgresql'], {
    default: 'postgres://tickertape:tickertape@127.0.0.1:15432/tickertape',
    about: 'PostgreSQL database that pg-sink writes',
  }),
  DATABASE_SCHEMA: textSetting({
    default: 'public',
    about: 'Schema of the database that holds the tables',
  }),
  GATEWAY_HOST: textSetting({
    default: '127.0.0.1',
    about: 'Interface on which REST, WebSocket and dashboard are served',
  }),
  GATEWAY_PORT: integerSetting({
    default: '8080',
    max: 65_535,
    about: 'Port on which they are served; 0 takes any free one and logs it',
  }),
  GATEWAY_DATABASE_CONNECTIONS: integerSetting({
    default: '6',
    min: 2,
    max: 100,
    about: 'Most connections to the database; what asks for more of it waits',
  }),
  ...protectionSettings,
  GATEWAY_ADMIN_PORT: adminPortSetting(9104),
} as const

export interface GatewayConfig {
  readonly http: {
    readonly host: string
    readonly port: number
  }
  readonly kafka: {
    readonly brokers: string
    readonly topicPrefix: string
  }
  readonly registryUrl: string
  readonly database: {
    readonly url: string
    readonly schema: string
    readonly connections: number
  }
  readonly protection: ProtectionConfig
}

export const environment = process.env

/** @throws SettingsError */
export function readConfig(values: SettingValues<typeof settings>): GatewayConfig {
  return {
    http: { host: values.GATEWAY_HOST, port: values.GATEWAY_PORT },
    kafka: { brokers: values.KAFKA_BROKERS, topicPrefix: values.TOPIC_PREFIX },
    registryUrl: values.REGISTRY_URL,
    database: {
      url: values.DATABASE_URL,
      schema: values.DATABASE_SCHEMA,
      connections: values.GATEWAY_DATABASE_CONNECTIONS,
    },
    protection: readProtectionConfig(values, values.GATEWAY_HOST),
  }
}
