import { describe, expect, it } from 'vitest'

import { instrumentIdOf, windowStartOf } from '@tickertape/market-model'
import type { MarketEvent } from '@tickertape/market-model'

import { BenchMarket, fillStart } from './bench-market.ts'
import { expectedCandles, marketEvents, tradesOf } from './fill-plan.ts'
import type { FillPlan } from './fill-plan.ts'

const many: FillPlan = { instruments: 60, tradesPerWindow: 2, seconds: 3 }
const few: FillPlan = { instruments: 7, tradesPerWindow: 10, seconds: 3 }

function eventsOf(plan: FillPlan): readonly MarketEvent[] {
  return [...marketEvents(plan, new BenchMarket(plan.instruments))]
}

function tradesIn(events: readonly MarketEvent[]) {
  return events.flatMap((event) => (event.type === 'Trade' ? [event.value] : []))
}

describe.each([
  ['many instruments', many],
  ['few instruments', few],
])('the log of %s', (_, plan) => {
  it('is the same every time', () => {
    expect(eventsOf(plan)).toEqual(eventsOf(plan))
  })

  it('has the planned trades of every instrument in every window', () => {
    const trades = tradesIn(eventsOf(plan))
    const counts = new Map<string, number>()
    for (const trade of trades) {
      const window = `${instrumentIdOf(trade)} ${windowStartOf(trade.eventTime, '1s')}`
      counts.set(window, (counts.get(window) ?? 0) + 1)
    }
    expect(trades).toHaveLength(tradesOf(plan))
    expect(counts.size).toBe(expectedCandles(plan).get('1s'))
    expect(new Set(counts.values())).toEqual(new Set([plan.tradesPerWindow]))
  })

  it('numbers the trades of each instrument without a hole, in the order of event time', () => {
    const last = new Map<string, { sequence: number; eventTime: number }>()
    for (const { instrument, sequence, eventTime } of tradesIn(eventsOf(plan))) {
      const before = last.get(instrument) ?? { sequence: 0, eventTime: 0 }
      expect(sequence).toBe(before.sequence + 1)
      expect(eventTime).toBeGreaterThanOrEqual(before.eventTime)
      last.set(instrument, { sequence: before.sequence + 1, eventTime })
    }
  })

  it('has no trade that a heartbeat before it has passed', () => {
    let upTo = 0
    const passed = eventsOf(plan).filter((event) => {
      if (event.type === 'FeedHeartbeat') upTo = event.value.upTo
      return event.type === 'Trade' && event.value.eventTime < upTo
    })
    expect(passed).toEqual([])
  })

  it('ends with the heartbeat that closes the last minute, 250 ms behind the one before', () => {
    const beats = eventsOf(plan).flatMap((event) =>
      event.type === 'FeedHeartbeat' ? [event.value.upTo] : [],
    )
    expect(beats.at(-1)).toBe(fillStart + 61_000)
    expect(beats).toEqual(beats.map((_beat, index) => fillStart + 250 * (index + 1)))
  })
})

it('a minute that is filled in part is a candle too', () => {
  const plan: FillPlan = { instruments: 100, tradesPerWindow: 200, seconds: 100 }
  expect(tradesOf(plan)).toBe(2_000_000)
  expect([...expectedCandles(plan)]).toEqual([
    ['1s', 10_000],
    ['1m', 200],
  ])
})

it('10,000 instruments have names of their own', () => {
  const names = new BenchMarket(10_000)
    .listings(fillStart)
    .map((event) => event.type === 'InstrumentStatus' && event.value.instrumentId)
  expect(new Set(names).size).toBe(10_000)
})
