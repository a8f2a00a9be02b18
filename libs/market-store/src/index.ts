export { bulkInsert, bulkUpsert } from './bulk.ts'
export type { BulkRow, BulkStatement, UpsertRule } from './bulk.ts'
export { Database } from './database.ts'
export type { DatabaseOptions, QueryResult, Session, Statement, Transaction } from './database.ts'
export { MarketStoreError } from './errors.ts'
export type { MarketStoreErrorCode } from './errors.ts'
export { migrate } from './migrate.ts'
export type { Migration } from './migrate.ts'
export { isOutage } from './outage.ts'
export { candleRow, gapRow, instrumentRow, timeText, tradeRow } from './rows.ts'
export type { CandleRow, GapRow, InstrumentRow, RejectedRow, SourcePosition, TradeRow } from './rows.ts'
export {
  candles,
  currentTrades,
  feedWatermarks,
  instruments,
  rejected,
  sequenceGaps,
  sinkOffsets,
  trades,
} from './schema.ts'
export { ensureTradePartitions, isPartitionable, tradeDay } from './trade-partitions.ts'
