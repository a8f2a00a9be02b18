import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { intervals } from '@tickertape/market-model'
import type { Candle } from '@tickertape/market-model'

import { anyMarket } from './any-market.ts'
import { createStoredMarket } from './stored-market.ts'
import type { StoredMarket } from './stored-market.ts'

let market: StoredMarket

beforeAll(async () => {
  market = await createStoredMarket()
})

afterAll(() => market[Symbol.asyncDispose]())

/** Windows by interval. */
function counted(made: readonly Candle[]): Record<string, number> {
  const windows = new Set(
    made.map(({ interval, instrumentId, windowStart }) =>
      [interval, windowStart, instrumentId].join(' '),
    ),
  )
  const counts = intervals.map((interval) => {
    return [interval, [...windows].filter((key) => key.startsWith(`${interval} `)).length] as const
  })
  return Object.fromEntries(counts)
}

describe('two computations', () => {
  it('agree on every candle of any market', async () => {
    await fc.assert(
      fc.asyncProperty(anyMarket, async (events) => {
        const result = await market.store(events)
        const report = await market.compare()
        expect(report).toEqual({
          trades: report.trades,
          unstoredTrades: 0,
          leftOut: [],
          candles: counted(result.candles),
          differences: 0,
          firstDifferences: [],
          undecided: 0,
        })
      }),
      { numRuns: 60 },
    )
  })
})

describe('verify on a running system', () => {
  it('finds nothing, whatever the candles are ahead of what it began with', async () => {
    const running = anyMarket.chain((events) =>
      fc.record({ events: fc.constant(events), seen: fc.nat(events.length) }),
    )
    await fc.assert(
      fc.asyncProperty(running, async ({ events, seen }) => {
        const report = await market.compareWhileRunning(events, seen)
        expect(report.firstDifferences).toEqual([])
      }),
      { numRuns: 60 },
    )
  })
})
