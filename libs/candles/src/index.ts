export { AggregationSettingsError } from './aggregation-settings.ts'
export type { AggregationSettings, AggregationSettingsErrorCode } from './aggregation-settings.ts'
export type { AggregationEvent, CountedTrade, LoggedTrade } from './counted-trade.ts'
export { PartitionAggregation } from './partition-aggregation.ts'
export type {
  AppliedEvent,
  ChangedWindow,
  EventOutcome,
  StateChanges,
} from './partition-aggregation.ts'
export type { ChangelogState, StoredWindowRecord } from './restoring.ts'
export type { StoredWindowCodec } from './packed-windows.ts'
export type { TradeOutcome } from './trade-taking.ts'
export { SequenceSet } from './sequence-set.ts'
export { RollingStats, statsAheadMs } from './rolling-stats.ts'
export type { InstrumentStats, Pair, StatsOutcome } from './rolling-stats.ts'
export type { InstrumentTerms, PairStats, TokenStats } from './rolling-stats-groups.ts'
export { statsSpans } from './rolling-stats-instrument.ts'
export type { StatsMinutes, StatsSpan } from './rolling-stats-instrument.ts'
