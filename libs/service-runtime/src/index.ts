export { Counter, Gauge, Histogram, Registry } from 'prom-client'
export { startAdminServer } from './admin-server.ts'
export type { AdminServer, AdminServerOptions } from './admin-server.ts'
export {
  kafkaAccess,
  kafkaSettings,
  registryAccess,
  registrySettings,
} from './connection-settings.ts'
export type { KafkaAccess, RegistryAccess, TlsFiles } from './connection-settings.ts'
export { createConsumerGroupMetrics } from './consumer-group-metrics.ts'
export type { ConsumerGroupMetrics, PartitionLag } from './consumer-group-metrics.ts'
export { databaseUrlSetting } from './database-url-setting.ts'
export { createKafkaClientMetrics } from './kafka-client-metrics.ts'
export type {
  KafkaClientMetrics,
  KafkaClientStatistics,
  KafkaFetchMeasure,
} from './kafka-client-metrics.ts'
export { createLogger } from './logger.ts'
export type { Logger, LoggerOptions } from './logger.ts'
export { documentedMetrics, metricsTable, unboundedLabels } from './metrics-table.ts'
export { Readiness } from './readiness.ts'
export { retrying } from './retry.ts'
export type { RetryEvents, RetryPolicy } from './retry.ts'
export { runService } from './run-service.ts'
export type { RunningService, ServiceContext, ServiceDefinition } from './run-service.ts'
export {
  SettingsError,
  choiceSetting,
  integerSetting,
  listSetting,
  maskSecrets,
  printableSettings,
  readSettings,
  secretSetting,
  textSetting,
  urlSetting,
} from './settings.ts'
export type { Setting, SettingCheck, SettingValues, Settings } from './settings.ts'
export { documentedSettings, settingsTable } from './settings-table.ts'
export { adminPortSetting, sharedSettings } from './shared-settings.ts'
