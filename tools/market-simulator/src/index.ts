export { defaultInstruments, type Instrument, type Venue } from './market/instrument.ts'
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
export { type RunningSimulator, type SimulatorOptions, startSimulator } from './simulator.ts'
export type { ClockSpeed } from './venue-clock.ts'
