import type { Database } from '@tickertape/market-store'
import { describe, expect, it } from 'vitest'

import { MarketMemory } from '../market-view/market-memory.ts'
import { candle } from '../market-view/testing/market.ts'
import type { MarketView } from '../market-view.ts'
import { readCandlePage } from './candle-page.ts'
import type { CandlePageContent } from './candle-page.ts'
import { beginOfTime, endOfTime } from './candle-range.ts'
import type { CandlePageRange } from './candle-range.ts'

const minuteMs = 60_000
const start = Date.UTC(2026, 0, 5)
const topics = { candles: 'candles', marketEvents: 'market-events', partitions: 1 }
const heldCount = 10

/** Memory has applied 100 candles, one an offset; the sink has written the first of them. */
function market(written: number) {
  const memory = new MarketMemory(
    { position: { candles: [0], marketEvents: [0] }, watermarks: [] },
    {
      candles: heldCount,
      trades: 10,
      tradeIdentities: 100,
      candleTextBytes: 100_000,
      backlog: { updates: 100, bytes: 100_000 },
      futureToleranceMs: 5_000,
    },
  )
  for (let offset = 0; offset < 100; offset += 1) {
    const windowStart = start + offset * minuteMs
    memory.applyCandle(candle({ windowStart }), { partition: 0, offset })
    memory.moveTo('candles', 0, offset + 1)
  }
  // Of a view the page takes only what a memory has too.
  return { view: memory as unknown as MarketView, database: rows(written), topics }
}

/** What PostgreSQL answers where the sink has written that many candles. */
function rows(written: number): Pick<Database, 'query'> {
  return {
    query: async (statement) => {
      const { name, values = [] } = typeof statement === 'string' ? {} : statement
      // The values that the statement of a page has.
      const [, , from, to, limit] = values as [string, string, number, number, number]
      const stored = Array.from({ length: written }, (_, at) => start + at * minuteMs)
      const found = stored.filter((at) => at >= from && at < to)
      const page = name === 'candles-latest' ? found.slice(-limit) : found.slice(0, limit)
      const row = {
        rows:
          page.length === 0
            ? null
            : page.map((at) => `${at}|1|1|1|1|1|1|1|1|1|1|complete|0|true|1|1|null|{}`).join('\n'),
        offsets: `candles 0 ${written}`,
        later: stored.some((at) => at >= to),
      }
      // The row type is the statement's own.
      return { rows: [row], rowCount: 1 } as never
    },
  }
}

function range(changes: Partial<CandlePageRange>): CandlePageRange {
  const within = { from: beginOfTime, to: endOfTime }
  return {
    instrumentId: 'venue:a',
    interval: '1m',
    limit: 200,
    first: 'latest',
    cameFrom: undefined,
    within,
    ...within,
    ...changes,
  }
}

/** Which of the 100 candles are in the page. */
function numbers({ stored, held }: CandlePageContent): readonly number[] {
  return [...stored, ...held].map(({ windowStart }) => (windowStart - start) / minuteMs)
}

function consecutive(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at)
}

// Where pg-sink was behind by more than memory holds, a page went on from the last stored candle to the first held
// one, and what lies between was missing without a sign, behind cursors too.
describe('while the sink is behind by more than memory holds', () => {
  it('a page from the past ends where the rows end, with a cursor', async () => {
    const page = await readCandlePage(market(40), range({ from: start, first: 'earliest' }))
    expect(numbers(page)).toEqual(consecutive(0, 39))
    expect(page.hasLater).toBe(true)
  })

  it('the page behind it is refused until the rows are there', async () => {
    const behind = range({
      from: start + 39 * minuteMs + 1,
      first: 'earliest',
      cameFrom: 'earlier',
    })
    await expect(readCandlePage(market(40), behind)).rejects.toMatchObject({ code: 'not_ready' })
    expect(numbers(await readCandlePage(market(91), behind))).toEqual(consecutive(40, 99))
  })

  it('the latest page is what is held, and the one before it is refused', async () => {
    const page = await readCandlePage(market(40), range({}))
    expect(numbers(page)).toEqual(consecutive(90, 99))
    expect(page.hasEarlier).toBe(true)
    const before = range({ to: start + 90 * minuteMs, cameFrom: 'later' })
    await expect(readCandlePage(market(40), before)).rejects.toMatchObject({ code: 'not_ready' })
  })

  it('what was written long ago is answered as ever', async () => {
    const old = await readCandlePage(market(40), range({ to: start + 20 * minuteMs }))
    expect(numbers(old)).toEqual(consecutive(0, 19))
    const few = range({ from: start, first: 'earliest', limit: 7 })
    expect(numbers(await readCandlePage(market(40), few))).toEqual(consecutive(0, 6))
  })
})

it('a sink that is behind by less leaves no hole', async () => {
  const page = await readCandlePage(market(95), range({}))
  expect(numbers(page)).toEqual(consecutive(0, 99))
  expect(page.position.candles).toEqual([95])
})

// Where all candles are held, `heldFrom` is 0, and was compared with the begin of time, long before: instruments with
// fewer candles than a page asked the database each time, and had no page while it was away.
it('where all candles are held the database is not asked', async () => {
  const { view } = market(0)
  const database = {
    query: () => Promise.reject(new Error('asked')),
  }
  const all = { ...market(0), view: { ...wrapped(view), heldFrom: () => 0 }, database }
  expect(numbers(await readCandlePage(all, range({})))).toEqual(consecutive(90, 99))
})

function wrapped(view: MarketView): MarketView {
  return {
    ...view,
    position: () => view.position(),
    candles: (...of) => view.candles(...of),
    releasedTo: (...of) => view.releasedTo(...of),
  }
}
