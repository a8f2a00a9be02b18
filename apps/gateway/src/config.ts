import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'

import type { KafkaConnection, RegistryConnection } from '@tickertape/kafka-avro'
import {
  adminPortSetting,
  databaseUrlSetting,
  integerSetting,
  kafkaAccess,
  registryAccess,
  sharedSettings,
  textSetting,
} from '@tickertape/service-runtime'
import type { SettingValues } from '@tickertape/service-runtime'

import type { MemoryLimits } from './market-view/market-memory.ts'
import { marketViewSettings, memoryLimits } from './market-view/settings.ts'
import { protectionSettings, readProtectionConfig } from './protection/settings.ts'
import type { ProtectionConfig } from './protection/settings.ts'
import { streamOptions, streamSettings } from './stream/settings.ts'
import type { StreamOptions } from './stream/settings.ts'

export const settings = {
  ...sharedSettings,
  DATABASE_URL: databaseUrlSetting('PostgreSQL database that pg-sink writes'),
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
  GATEWAY_INSTANCE: textSetting({
    default: '',
    about: 'Names this instance where several are told apart; empty: the host and a random part',
  }),
  GATEWAY_DASHBOARD_FOLDER: textSetting({
    default: '',
    about: 'Folder with the built dashboard; empty: where its build puts it',
  }),
  GATEWAY_REVISION_HORIZON_MS: integerSetting({
    default: '3600000',
    about:
      'Candles that ended longer ago are cached for a minute instead of a second; as AGGREGATOR_HORIZON_MS',
  }),
  ...marketViewSettings,
  ...streamSettings,
  ...protectionSettings,
  GATEWAY_ADMIN_PORT: adminPortSetting(9104),
} as const

export interface GatewayConfig {
  readonly http: {
    readonly host: string
    readonly port: number
    /** undefined: where its build puts it. */
    readonly dashboardFolder: string | undefined
  }
  readonly kafka: {
    readonly connection: KafkaConnection
    readonly topicPrefix: string
  }
  readonly registry: RegistryConnection
  readonly database: {
    readonly url: string
    readonly schema: string
    readonly connections: number
  }
  readonly revisionHorizonMs: number
  readonly memory: MemoryLimits
  readonly stream: StreamOptions
  readonly protection: ProtectionConfig
}

export const environment = process.env

/** @throws SettingsError */
export function readConfig(values: SettingValues<typeof settings>): GatewayConfig {
  return {
    http: {
      host: values.GATEWAY_HOST,
      port: values.GATEWAY_PORT,
      dashboardFolder: values.GATEWAY_DASHBOARD_FOLDER || undefined,
    },
    kafka: { connection: kafkaAccess(values), topicPrefix: values.TOPIC_PREFIX },
    registry: registryAccess(values),
    database: {
      url: values.DATABASE_URL,
      schema: values.DATABASE_SCHEMA,
      connections: values.GATEWAY_DATABASE_CONNECTIONS,
    },
    revisionHorizonMs: values.GATEWAY_REVISION_HORIZON_MS,
    memory: memoryLimits(values),
    stream: streamOptions(values.GATEWAY_INSTANCE || instanceName(), values),
    protection: readProtectionConfig(values, values.GATEWAY_HOST),
  }
}

function instanceName(): string {
  return `${hostname()}-${randomBytes(3).toString('hex')}`
}
