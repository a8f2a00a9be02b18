export { deribitOptionsAndSpreads } from './deribit/deribit-instruments.ts'
export type { Instrument } from './market/instrument.ts'
export {
  type HistoryPage,
  type HistoryQuery,
  type Market,
  type RecordedTrade,
  type SeededTrade,
  type SimulatedTrade,
} from './market/market.ts'
export {
  SeededMarket,
  type SeededMarketOptions,
  tradeBySequence,
  tradesBetween,
} from './market/seeded-market.ts'
export { type Venue, venueNames } from './market/venue-name.ts'
export { type RunningSimulator, type SimulatorOptions, startSimulator } from './simulator.ts'
export type { ClockSpeed } from './venue-clock.ts'
export { defaultInstruments } from './venues.ts'
