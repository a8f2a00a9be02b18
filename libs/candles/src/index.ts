export { AggregationSettingsError } from './aggregation-settings.ts'
export type { AggregationSettings, AggregationSettingsErrorCode } from './aggregation-settings.ts'
export { PartitionAggregation } from './partition-aggregation.ts'
export type {
  AppliedEvent,
  EventOutcome,
  StateChanges,
  TradeOutcome,
} from './partition-aggregation.ts'
export { SequenceSet } from './sequence-set.ts'
