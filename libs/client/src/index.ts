export { createClient } from './create-client.ts'
export type { Client, ClientOptions } from './create-client.ts'
export { GatewayError } from './gateway-error.ts'
export type { GatewayErrorCode } from './gateway-error.ts'
export type { CandlesRequest, MarketStream, StatsRequest, TradesRequest } from './market-stream.ts'
export { standsAbove } from './replay-filter.ts'
export type {
  CandlesQuery,
  GapPage,
  GapsQuery,
  InstrumentsQuery,
  RequestOptions,
  Rest,
  StatsOf,
  StatsPage,
  TimeBound,
  TradesQuery,
} from './rest.ts'
export { SubscriptionError } from './stream-events.ts'
export type {
  CandleEvent,
  Notice,
  ResetReason,
  StatsEvent,
  StreamEvent,
  StreamState,
  TradeEvent,
} from './stream-events.ts'
export type { Handlers, Subscription } from './subscription.ts'
export type * from '@tickertape/market-api'
