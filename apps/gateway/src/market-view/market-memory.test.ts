import type { MarketEvent } from '@tickertape/market-model'
import { describe, expect, test } from 'vitest'

import { MarketMemory } from './market-memory.ts'
import type { MemoryLimits } from './market-memory.ts'
import { candle, decimal, heartbeat, trade } from './testing/market.ts'

const limits: MemoryLimits = {
  candles: 10,
  trades: 10,
  tradeIdentities: 100,
  candleTextBytes: 10_000,
  backlog: { updates: 100, bytes: 100_000 },
  futureToleranceMs: 5_000,
}
const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
const start = Date.UTC(2026, 0, 5)
const id = 'venue:a'

/** A memory whose feed vouches up to two seconds past `asOf`, by which statistics are as of it. */
function memoryAsOf(asOf: number): MarketMemory {
  const watermarks = [{ partition: 0, feedId: 'feed', upTo: asOf + 2_000 }]
  return new MarketMemory({ position: { candles: [0], marketEvents: [0] }, watermarks }, limits)
}

function minute(windowStart: number, [open, high, low, close]: readonly string[]) {
  return candle({
    windowStart,
    open: decimal(open ?? ''),
    high: decimal(high ?? ''),
    low: decimal(low ?? ''),
    close: decimal(close ?? ''),
  })
}

function applyEvent(memory: MarketMemory, event: MarketEvent, now = start): unknown {
  return memory.applyEvent(event, { partition: 0, offset: 0 }, now)
}

function names(memory: MarketMemory, span: '5m' | '24h') {
  return [...memory.stats('instruments', span).values()].map(({ json }) => JSON.parse(json))
}

describe('the summary of an instrument', () => {
  test('tells the prices of the last 24 hours, exactly', () => {
    const memory = memoryAsOf(start + dayMs)
    // It ends where the day begins: no more a part of it.
    memory.restoreForStats(minute(start - minuteMs, ['1', '999', '1', '1']))
    memory.restoreForStats(minute(start, ['100', '100', '100', '100']))
    memory.restoreForStats(minute(start + hourMs, ['100', '123456789012345678.5', '90', '95']))
    memory.restoreForStats(minute(start + hourMs + minuteMs, ['95', '96', '89.5', '90']))
    memory.restoreForStats(minute(start + dayMs - minuteMs, ['90', '120', '90', '110']))
    expect(memory.summary(id)).toMatchObject({
      lastPrice: '110',
      lastTradeTime: null,
      open24h: '100',
      high24h: '123456789012345678.5',
      low24h: '89.5',
      tradeCount24h: 12,
      sparkline: ['100', '90', '110'],
    })
    expect(memory.summary(id)?.change24h).toBeCloseTo(0.1)
  })

  test('follows the latest trade that counts, beyond what candles tell', () => {
    const memory = memoryAsOf(start + dayMs)
    memory.restoreForStats(minute(start + dayMs - minuteMs, ['100', '100', '100', '100']))
    const eventTime = start + dayMs + 500
    const later = { price: decimal('130'), eventTime, receivedAt: eventTime }
    applyEvent(memory, { type: 'Trade', value: trade(1, later) })
    const cancelled = { ...later, status: 'cancelled' as const, price: decimal('500') }
    applyEvent(memory, { type: 'Trade', value: trade(2, cancelled) })
    expect(memory.summary(id)).toMatchObject({
      lastPrice: '130',
      high24h: '130',
      lastTradeTime: eventTime,
    })
  })

  // Every request for instruments added up a day of minutes of each of them anew.
  test('is made once for as long as nothing changes that it tells', () => {
    const memory = memoryAsOf(start + dayMs)
    memory.restoreForStats(minute(start + hourMs, ['100', '100', '100', '100']))
    const first = memory.summary(id)
    expect(first).not.toBeNull()
    applyEvent(memory, heartbeat(start + dayMs + 4_000))
    memory.refreshStats()
    expect(memory.summary(id)).toBe(first)
    const eventTime = start + dayMs + 500
    const later = { price: decimal('130'), eventTime, receivedAt: eventTime }
    applyEvent(memory, { type: 'Trade', value: trade(1, later) })
    expect(memory.summary(id)).toMatchObject({ lastPrice: '130', tradeCount24h: 3 })
    memory.applyCandle(candle({ windowStart: start + hourMs, revision: 1, tradeCount: 9 }), {
      partition: 0,
      offset: 1,
    })
    expect(memory.summary(id)).toMatchObject({ lastPrice: '130', tradeCount24h: 9 })
    applyEvent(memory, heartbeat(start + dayMs + 2 * hourMs))
    expect(memory.summary(id)).toBeNull()
  })

  test('is null once no candle is within the last 24 hours', () => {
    const memory = memoryAsOf(start)
    memory.restoreForStats(candle({ windowStart: start - minuteMs }))
    expect(memory.summary(id)).not.toBeNull()
    applyEvent(memory, heartbeat(start + dayMs + hourMs))
    expect(memory.summary(id)).toBeNull()
  })
})

describe('statistics', () => {
  test('are told when they say something else, and not when time alone has passed', () => {
    const memory = memoryAsOf(start + minuteMs)
    memory.restoreForStats(candle({ windowStart: start }))
    expect(memory.refreshStats()).toHaveLength(3)
    applyEvent(memory, heartbeat(start + minuteMs + 4_000))
    expect(memory.refreshStats()).toEqual([])
    expect(names(memory, '5m')).toMatchObject([{ to: start + minuteMs + 2_000 }])
    memory.applyCandle(candle({ windowStart: start, revision: 1, tradeCount: 9 }), {
      partition: 0,
      offset: 1,
    })
    expect(memory.refreshStats().length).toBeGreaterThan(0)
    expect(names(memory, '24h')).toMatchObject([{ tradeCount: 9 }])
  })

  test('wait for a candle that came before the heartbeats of its time', () => {
    const memory = memoryAsOf(start)
    const windowStart = start + hourMs
    memory.applyCandle(candle({ windowStart }), { partition: 0, offset: 0 })
    memory.refreshStats()
    expect(names(memory, '24h')).toEqual([])
    applyEvent(memory, heartbeat(windowStart + 2 * minuteMs))
    memory.refreshStats()
    expect(names(memory, '24h')).toMatchObject([{ tradeCount: 3 }])
  })

  test('go on without a feed that has stopped, and are not moved by one from the future', () => {
    const memory = memoryAsOf(start)
    applyEvent(memory, heartbeat(start + minuteMs, 'other'))
    expect(memory.asOf).toBe(start)
    applyEvent(memory, heartbeat(start + hourMs, 'other'))
    expect(memory.asOf).toBe(start + hourMs - 2_000)
    const value = { feedId: 'mad', replicaId: 'r', upTo: start + dayMs, receivedAt: start }
    expect(applyEvent(memory, { type: 'FeedHeartbeat', value })).toBe('future')
    expect(memory.asOf).toBe(start + hourMs - 2_000)
  })
})

describe('what is held', () => {
  test('of a quiet instrument is let go after a day, and what comes then is held from there', () => {
    const memory = memoryAsOf(start)
    memory.restoreCandle(candle({ windowStart: start - minuteMs }))
    expect(memory.heldFrom(id, '1m')).toBe(0)
    applyEvent(memory, heartbeat(start + 2 * dayMs))
    memory.refreshStats()
    expect(memory.candles(id, '1m', 10)).toEqual([])
    expect(memory.heldFrom(id, '1m')).toBeUndefined()
    const windowStart = start + 2 * dayMs
    memory.applyCandle(candle({ windowStart }), { partition: 0, offset: 1 })
    expect(memory.candles(id, '1m', 10)).toHaveLength(1)
    expect(memory.heldFrom(id, '1m')).toBe(start + dayMs - 2_000)
  })

  // What was neither held any more nor written yet was missing from a page of both, and nothing told so.
  test('no more is told by an offset behind it, whether its place was taken or it grew too old', () => {
    const memory = memoryAsOf(start)
    memory.restoreCandle(candle({ windowStart: start - minuteMs }))
    const place = (offset: number) => ({ partition: 0, offset })
    for (let at = 0; at < 9; at += 1) {
      memory.applyCandle(candle({ windowStart: start + at * minuteMs }), place(100 + at))
    }
    expect(memory.releasedTo(id, '1m')).toBe(0)
    memory.applyCandle(candle({ windowStart: start + 9 * minuteMs }), place(109))
    expect(memory.releasedTo(id, '1m')).toBe(110)
    memory.applyCandle(candle({ windowStart: start - minuteMs, revision: 1 }), place(110))
    expect(memory.releasedTo(id, '1m')).toBe(111)
    memory.applyCandle(candle({ windowStart: start, interval: '1h' }), place(111))
    expect(memory.releasedTo(id, '1h')).toBe(0)
    applyEvent(memory, heartbeat(start + 2 * dayMs))
    memory.refreshStats()
    expect([memory.releasedTo(id, '1m'), memory.releasedTo(id, '1h')]).toEqual([112, 112])
  })

  test('as open ends with its closed candle, and one written before that is not shown again', () => {
    const memory = memoryAsOf(start)
    const open = candle({ windowStart: start, final: false, tradeCount: 1 })
    expect(memory.applyOpenCandle(open)).toMatchObject({ place: undefined })
    memory.applyCandle(candle({ windowStart: start }), { partition: 0, offset: 0 })
    expect(memory.candles(id, '1m', 10).map(({ final }) => final)).toEqual([true])
    expect(memory.applyOpenCandle(open)).toBe('known')
  })

  test('of a trade that matures is told as expired from then on', () => {
    const memory = memoryAsOf(start)
    const value = trade(1, { eventTime: start, receivedAt: start, maturesAt: start + 1_000 })
    applyEvent(memory, { type: 'Trade', value })
    const expired = (now: number): unknown[] =>
      memory.trades(id, 1, now).map(({ json }) => JSON.parse(json).expired)
    expect(expired(start + 999)).toEqual([false])
    expect(expired(start + 1_000)).toEqual([true])
  })
})
