import {
  defaultInstruments,
  SeededMarket,
  type SimulatorOptions,
  type Venue,
} from '../src/index.ts'

/** Where the venue's clock of these tests begins: a block that is paced steadily. */
export const start = Date.UTC(2026, 4, 20)

const seed = 'a seed'

/** A market that never changes between runs, on a clock that stands until it is released. */
export const heldMarket: SimulatorOptions = { seed, start, hold: true }

/** Two minutes of trading as fast as the sockets take it, once the clock is released. */
export const twoMinutes: SimulatorOptions = {
  ...heldMarket,
  speed: 'max',
  end: start + 120_000,
}

/** The ground truth of these simulators, computed apart from them. */
export function groundTruth(venue: Venue): SeededMarket {
  return new SeededMarket({ venue, instruments: defaultInstruments, seed })
}

/** The sequences of a seeded instrument's trades with from < eventTime <= to. */
export function sequencesBetween(venue: Venue, name: string, from: number, to: number): number[] {
  const market = groundTruth(venue)
  const first = market.nextSequence(name, from)
  const end = market.nextSequence(name, to)
  return Array.from({ length: end - first }, (_, index) => first + index)
}
