export { bulkInsert, bulkUpsert } from './bulk.ts'
export type { BulkRow, BulkStatement, UpsertRule } from './bulk.ts'
export { bulkCopy, stagedInsert, stagedUpsert } from './bulk-copy.ts'
export { CopyRows } from './copy-rows.ts'
export type { CopyFormat } from './copy-rows.ts'
export { Database } from './database.ts'
export type { DatabaseOptions, QueryResult, Session, Statement, Transaction } from './database.ts'
export { MarketStoreError } from './errors.ts'
export type { MarketStoreErrorCode } from './errors.ts'
export {
  isDataError,
  isMissingPartition,
  isOutage,
  isTableError,
  isUniqueViolation,
} from './failures.ts'
export type { SourcePosition } from './fields.ts'
export { candleFormat, tradeFormat } from './formats.ts'
export { migrate, missingMigrations } from './migrate.ts'
export type { MigrateOptions, Migration } from './migrate.ts'
export { candleRow, gapRow, instrumentRow, keepKnownTerms, timeText, tradeRow } from './rows.ts'
export type { CandleRow, GapRow, InstrumentRow, RejectedRow, TradeRow } from './rows.ts'
export {
  apiKeys,
  candles,
  currentTrades,
  feedWatermarks,
  gatewayInstances,
  instruments,
  rateWindows,
  rejected,
  sequenceGaps,
  sinkOffsets,
  tradeRetention,
  trades,
} from './schema.ts'
export { tryStoredRows, undone } from './stored-rows.ts'
export type { StoredRowsAnswer } from './stored-rows.ts'
export {
  dropTradePartitionsBefore,
  ensureTradePartitions,
  isPartitionable,
  tradeDay,
} from './trade-partitions.ts'
