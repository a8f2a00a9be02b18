export { candle, candleColumns, candlePage, candleQualities, gap } from './candle.ts'
export type { CandleColumns, CandlePage, CandleResource, GapResource } from './candle.ts'
export { closeCodes } from './close-codes.ts'
export type { CloseReason } from './close-codes.ts'
export { instrument, instrumentPage, instrumentSummary } from './instrument.ts'
export type { InstrumentPage, InstrumentResource, InstrumentSummary } from './instrument.ts'
export { matchesPattern } from './name-pattern.ts'
export { feed, feedList, gapPage, pipeline, rejectedCounts } from './pipeline.ts'
export type { FeedResource, Pipeline, RejectedCounts } from './pipeline.ts'
export { problem, problemCodes } from './problem.ts'
export type { Problem, ProblemCode } from './problem.ts'
export {
  candlesRequest,
  gapsRequest,
  instrumentsRequest,
  rejectedRequest,
  statsParams,
  statsRequest,
  timeOf,
  timeText,
  tradesRequest,
} from './requests.ts'
export {
  decimalText,
  instrumentId,
  interval,
  pageCursor,
  position,
  statsSpan,
  statsSpans,
  time,
} from './scalars.ts'
export type { StatsSpan } from './scalars.ts'
export {
  instrumentStats,
  instrumentStatsPage,
  pairStats,
  pairStatsPage,
  statsSubjects,
  tokenStats,
  tokenStatsPage,
} from './stats.ts'
export type {
  InstrumentStatsResource,
  PairStatsResource,
  StatsSubject,
  TokenStatsResource,
} from './stats.ts'
export {
  clientMessage,
  ping,
  resetReasons,
  serverMessage,
  serverMessages,
  streamErrorCodes,
  streamProtocol,
  subscribe,
  unsubscribe,
} from './stream.ts'
export type { Channel, ClientMessage, ServerMessage, StreamErrorCode, Subscribe } from './stream.ts'
export { bearerSubprotocolPrefix, streamSubprotocol } from './subprotocol.ts'
export { trade, tradePage } from './trade.ts'
export type { TradePage, TradeResource } from './trade.ts'
