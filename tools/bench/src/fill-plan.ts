import { intervalMs } from '@tickertape/market-model'
import type { Interval, MarketEvent } from '@tickertape/market-model'

import { fillStart, heartbeat } from './bench-market.ts'
import type { BenchMarket } from './bench-market.ts'

/** Intervals that the aggregator under test makes, from the lowest up. */
export const benchIntervals = ['1s', '1m'] as const satisfies readonly Interval[]

/** The grace that the aggregator under test is given, in ms. */
export const graceMs = 1_000

export const heartbeatMs = 250

/** What a filled log holds: every instrument trades equally often in every second. */
export interface FillPlan {
  readonly instruments: number
  /** Of each instrument in each second. */
  readonly tradesPerWindow: number
  readonly seconds: number
}

export function tradesOf({ instruments, tradesPerWindow, seconds }: FillPlan): number {
  return instruments * tradesPerWindow * seconds
}

/** How many candles of each interval the plan's log comes to: one a window and instrument. */
export function expectedCandles({ instruments, seconds }: FillPlan): ReadonlyMap<Interval, number> {
  return new Map(
    benchIntervals.map((interval) => [
      interval,
      instruments * Math.ceil((seconds * 1_000) / intervalMs(interval)),
    ]),
  )
}

/**
 * The log in order: listings, then the trades of each stretch between two heartbeats, with its
 * instruments mixed, and the heartbeat. After the trades heartbeats go on until every window is closed.
 */
export function* marketEvents(plan: FillPlan, market: BenchMarket): Generator<MarketEvent> {
  yield* market.listings(fillStart - 1_000)
  const stretches = (plan.seconds * 1_000) / heartbeatMs
  for (let stretch = 0; stretch < stretches; stretch += 1) {
    const from = fillStart + stretch * heartbeatMs
    const turns = tradersOf(plan, stretch)
    market.shuffle(turns)
    for (const [turn, instrument] of turns.entries()) {
      yield market.trade(instrument, from + Math.floor((turn * heartbeatMs) / turns.length))
    }
    yield heartbeat(from + heartbeatMs)
  }
  for (let upTo = fillStart + plan.seconds * 1_000; upTo < lastHeartbeat(plan);) {
    upTo += heartbeatMs
    yield heartbeat(upTo)
  }
}

/** When the last window of the longest interval closes. */
function lastHeartbeat({ seconds }: FillPlan): number {
  const longest = Math.max(...benchIntervals.map(intervalMs))
  return fillStart + Math.ceil((seconds * 1_000) / longest) * longest + graceMs
}

/**
 * Instruments by index, each as often as it trades in the stretch: a second's trades are spread evenly
 * over its stretches, and where there are fewer of them than stretches, instruments take turns.
 */
function tradersOf({ instruments, tradesPerWindow }: FillPlan, stretch: number): number[] {
  const perSecond = 1_000 / heartbeatMs
  return Array.from({ length: instruments }, (_, instrument) => {
    const place = (stretch + instrument) % perSecond
    const before = Math.floor((place * tradesPerWindow) / perSecond)
    const after = Math.floor(((place + 1) * tradesPerWindow) / perSecond)
    return Array.from({ length: after - before }, () => instrument)
  }).flat()
}
