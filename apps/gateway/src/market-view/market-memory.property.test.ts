import { statsSpans, statsSubjects } from '@tickertape/market-api'
import { instrumentIdOf } from '@tickertape/market-model'
import type { Candle, Interval, MarketEvent, Trade } from '@tickertape/market-model'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import type { MarketUpdate, StreamPosition } from '../market-view.ts'
import { MarketMemory } from './market-memory.ts'
import type { MemoryLimits } from './market-memory.ts'
import { notHeld } from './snapshot-rows.ts'
import { candle, decimal, heartbeat, trade } from './testing/market.ts'

const limits: MemoryLimits = {
  candles: 4,
  trades: 3,
  tradeIdentities: 1_000,
  candleTextBytes: 5_000,
  backlog: { updates: 1_000, bytes: 1_000_000 },
  futureToleranceMs: 5_000,
}
const origin = Date.UTC(2026, 0, 5)
const minuteMs = 60_000
const instruments = ['a', 'b']
/** Of a trade there are so many at most, each a row: rows of as many trades as are held. */
const versions = 3

type LogRecord =
  | { readonly topic: 'candles'; readonly offset: number; readonly record: Candle }
  | { readonly topic: 'market-events'; readonly offset: number; readonly record: MarketEvent }

/** A log of one partition: what each topic holds, and in what order the two were written. */
const anyLog: fc.Arbitrary<readonly LogRecord[]> = fc
  .array(
    fc.oneof(
      fc.record({
        kind: fc.constant('trade' as const),
        number: fc.nat(12),
        instrument: fc.constantFrom(...instruments),
        version: fc.constantFrom(0, 0, 0, 1, 2),
        status: fc.constantFrom('confirmed' as const, 'cancelled' as const),
        copy: fc.nat(2),
      }),
      fc.record({
        kind: fc.constant('candle' as const),
        number: fc.nat(8),
        instrument: fc.constantFrom(...instruments),
        interval: fc.constantFrom('1m' as const, '5m' as const),
        volume: fc.integer({ min: 1, max: 9 }),
        revised: fc.boolean(),
        rebuild: fc.boolean(),
      }),
    ),
    { maxLength: 60, size: 'max' },
  )
  .map(numbered)

interface Drawn {
  readonly kind: 'trade' | 'candle'
}

/** Gives records their places, and candles the next version of their window, as the aggregator does. */
function numbered(drawn: readonly Drawn[]): readonly LogRecord[] {
  const log: LogRecord[] = []
  const next = { candles: 0, 'market-events': 0 }
  const versions = new Map<string, { revision: number; rebuildId: number | null }>()
  const add = (topic: LogRecord['topic'], record: Candle | MarketEvent): void => {
    // The topic says what the record is.
    log.push({ topic, offset: next[topic], record } as LogRecord)
    next[topic] += 1
  }
  add('market-events', heartbeat(origin))
  for (const each of drawn) {
    if (each.kind === 'trade') {
      add('market-events', { type: 'Trade', value: drawnTrade(each as DrawnTrade) })
    } else add('candles', drawnCandle(each as DrawnCandle, versions, log.length))
  }
  add('market-events', heartbeat(origin + 20 * minuteMs))
  return log
}

interface DrawnTrade extends Drawn {
  readonly number: number
  readonly instrument: string
  readonly version: number
  readonly status: Trade['status']
  readonly copy: number
}

function drawnTrade({ number, instrument, version, status, copy }: DrawnTrade): Trade {
  const eventTime = origin + number * 1_000
  return trade(number, { instrument, version, status, eventTime, receivedAt: eventTime + copy })
}

interface DrawnCandle extends Drawn {
  readonly number: number
  readonly instrument: string
  readonly interval: Interval
  readonly volume: number
  readonly rebuild: boolean
}

function drawnCandle(
  { number, instrument, interval, volume, rebuild }: DrawnCandle,
  versions: Map<string, { revision: number; rebuildId: number | null }>,
  rebuildId: number,
): Candle {
  const lengthMs = interval === '1m' ? minuteMs : 5 * minuteMs
  const facts = {
    instrumentId: `venue:${instrument}`,
    interval,
    windowStart: origin + number * lengthMs,
  }
  const key = JSON.stringify(facts)
  const before = versions.get(key)
  const version =
    before === undefined
      ? { revision: 0, rebuildId: null }
      : rebuild
        ? { revision: 0, rebuildId }
        : { revision: before.revision + 1, rebuildId: before.rebuildId }
  versions.set(key, version)
  return candle({ ...facts, ...version, volume: decimal(String(volume)) })
}

function emptyMemory(): MarketMemory {
  return new MarketMemory({ position: { candles: [0], marketEvents: [0] }, watermarks: [] }, limits)
}

function apply(
  memory: MarketMemory,
  { topic, offset, record }: LogRecord,
): MarketUpdate | undefined {
  const place = { partition: 0, offset }
  const outcome =
    topic === 'candles'
      ? memory.applyCandle(record, place)
      : memory.applyEvent(record, place, origin)
  memory.moveTo(topic, 0, offset + 1)
  return typeof outcome === 'string' ? undefined : outcome
}

/** What the sink has made of the records before given offsets, as the gateway reads it. */
function restored(
  log: readonly LogRecord[],
  upTo: Readonly<Record<LogRecord['topic'], number>>,
  backlogFrom?: StreamPosition,
) {
  const written = log.filter(({ topic, offset }) => offset < upTo[topic])
  const upToOf = written.flatMap(({ record }) =>
    'type' in record && record.type === 'FeedHeartbeat' ? [record.value.upTo] : [],
  )
  const memory = new MarketMemory(
    {
      position: { candles: [upTo.candles], marketEvents: [upTo['market-events']] },
      ...(backlogFrom && { backlogFrom }),
      watermarks: upToOf.map((time) => ({ partition: 0, feedId: 'feed', upTo: time })),
    },
    limits,
  )
  const candles = new Map<string, Candle>()
  const trades = new Map<string, Trade>()
  for (const { record } of written) {
    if (!('type' in record)) {
      const { instrumentId, interval, windowStart } = record
      candles.set(`${instrumentId} ${interval} ${windowStart}`, record)
    } else if (record.type === 'Trade') {
      const key = `${instrumentIdOf(record.value)} ${record.value.tradeId} ${record.value.version}`
      if (!trades.has(key)) trades.set(key, record.value)
    }
  }
  const latestFirst = [...candles.values()].toSorted((a, b) => b.windowStart - a.windowStart)
  for (const instrument of instruments) {
    const instrumentId = `venue:${instrument}`
    for (const interval of ['1m', '5m'] as const) {
      const own = latestFirst.filter(
        (each) => each.instrumentId === instrumentId && each.interval === interval,
      )
      for (const each of own.slice(0, limits.candles)) memory.restoreCandle(each)
      if (interval === '1m') for (const each of own) memory.restoreForStats(each)
    }
  }
  restoreTrades(memory, [...trades.values()])
  return memory
}

/** The latest that are held as a whole, the others by what they are known by. */
function restoreTrades(memory: MarketMemory, trades: readonly Trade[]): void {
  for (const instrument of instruments) {
    const own = trades.filter((each) => each.instrument === instrument)
    const rows = own.map((each) => ({
      instrument_id: instrumentIdOf(each),
      trade_id: each.tradeId,
      version: each.version,
      each,
    }))
    const held = rows
      .toSorted((a, b) => b.each.eventTime - a.each.eventTime)
      .slice(0, limits.trades * versions)
    for (const row of notHeld(rows, held)) {
      memory.restoreTradeIdentity(row.instrument_id, row.trade_id, row.version)
    }
    // In the order of the log, as all of them are.
    for (const row of rows) if (held.includes(row)) memory.restoreTrade(row.each, origin)
  }
}

/** All that can be read. */
function contents(memory: MarketMemory) {
  memory.refreshStats()
  const stats = statsSubjects.flatMap((of) =>
    statsSpans.map((span) => [
      of,
      span,
      [...memory.stats(of, span)].toSorted(([a], [b]) => (a < b ? -1 : 1)),
    ]),
  )
  const held = instruments.map((instrument) => {
    const instrumentId = `venue:${instrument}`
    const intervals = (['1m', '5m'] as const).map((interval) => ({
      candles: memory.candles(instrumentId, interval, 100),
      heldFrom: memory.heldFrom(instrumentId, interval),
    }))
    const trades = memory.trades(instrumentId, 100, origin)
    // Of trades at one time the order is that of arrival, which rows of one version have not.
    const byIdentity = trades.toSorted((a, b) => a.eventTime - b.eventTime)
    return { intervals, trades: byIdentity, summary: memory.summary(instrumentId) }
  })
  return { position: memory.position(), stats, held, feeds: memory.feeds() }
}

describe('the memory of a market', () => {
  test('rows of any moment and the records behind it give what the whole log gives', () => {
    fc.assert(
      fc.property(anyLog, fc.nat(60), fc.nat(60), (log, candlesBefore, eventsBefore) => {
        const whole = emptyMemory()
        for (const record of log) apply(whole, record)
        const ends = whole.position()
        const upTo = {
          candles: Math.min(candlesBefore, ends.candles[0] ?? 0),
          'market-events': Math.min(eventsBefore, ends.marketEvents[0] ?? 0),
        }
        const joined = restored(log, upTo)
        for (const record of log) {
          if (record.offset >= upTo[record.topic]) apply(joined, record)
        }
        expect(contents(joined)).toEqual(contents(whole))
      }),
      { numRuns: 200 },
    )
  }, 60_000)

  test('a record that comes again changes nothing and tells nobody', () => {
    fc.assert(
      fc.property(anyLog, (log) => {
        const memory = emptyMemory()
        for (const record of log) apply(memory, record)
        const before = contents(memory)
        const isHeld = ({ record }: LogRecord): boolean =>
          'type' in record ||
          record.windowStart >= (memory.heldFrom(record.instrumentId, '1m') ?? 0)
        const again = log.filter(
          (record) =>
            isHeld(record) && (!('interval' in record.record) || record.record.interval === '1m'),
        )
        expect(again.map((record) => apply(memory, record)).filter(Boolean)).toEqual([])
        expect(contents(memory)).toEqual(before)
      }),
    )
  })

  // Only the trades that are held were restored, so a copy of any older one was told to everybody as new after each
  // start, though GATEWAY_KNOWN_TRADES promises more.
  test('a copy of a trade that the rows know is told to nobody, held or not', () => {
    fc.assert(
      fc.property(anyLog, (log) => {
        const ends = { candles: 0, 'market-events': log.length }
        const memory = restored(log, ends)
        const told = log.flatMap(({ topic, record }, at) => {
          if (topic !== 'market-events') return []
          const copy: LogRecord = { topic, record, offset: ends[topic] + at }
          return apply(memory, copy) ?? []
        })
        expect(told).toEqual([])
      }),
    )
  })

  test('a summary says the same whether or not it was asked for before', () => {
    fc.assert(
      fc.property(anyLog, fc.integer({ min: 0, max: 19 }), (log, minutes) => {
        const asked = emptyMemory()
        const fresh = emptyMemory()
        const moved: LogRecord = {
          topic: 'market-events',
          offset: 1,
          record: heartbeat(origin + minutes * minuteMs),
        }
        for (const record of log.flatMap((each) => [each, moved])) {
          apply(asked, record)
          apply(fresh, record)
          for (const instrument of instruments) asked.summary(`venue:${instrument}`)
        }
        for (const instrument of instruments) {
          const instrumentId = `venue:${instrument}`
          expect(asked.summary(instrumentId)).toEqual(fresh.summary(instrumentId))
        }
      }),
    )
  })

  test('what was told since any position is what a resume from there gives', () => {
    fc.assert(
      fc.property(anyLog, fc.nat(60), (log, at) => {
        const memory = emptyMemory()
        const told: MarketUpdate[] = []
        let position = memory.position()
        for (const [number, record] of log.entries()) {
          if (number === at) {
            position = memory.position()
            told.length = 0
          }
          const update = apply(memory, record)
          if (update !== undefined) told.push(update)
        }
        const resumed = memory.since(position)
        const inPartitions = ['candle', 'trade'].flatMap((type) =>
          told.filter((update) => update.type === type),
        )
        expect(resumed).toEqual(inPartitions)
      }),
    )
  })

  // The backlog began where the rows end, which the sink moves past every client within a second: nobody could
  // resume from a gateway that had been started again.
  test('what was told before the rows is what a resume from there gives after a new start', () => {
    const anyOffset = fc.nat(60)
    fc.assert(
      fc.property(anyLog, anyOffset, anyOffset, anyOffset, (log, candles, events, back) => {
        const before = emptyMemory()
        const told = log.flatMap((record) => apply(before, record) ?? [])
        const ends = before.position()
        const upTo = {
          candles: Math.min(candles, ends.candles[0] ?? 0),
          'market-events': Math.min(events, ends.marketEvents[0] ?? 0),
        }
        const from = {
          candles: Math.max(0, upTo.candles - back),
          'market-events': Math.max(0, upTo['market-events'] - back),
        }
        const position = { candles: [from.candles], marketEvents: [from['market-events']] }
        const joined = restored(log, upTo, position)
        for (const record of log) {
          if (record.offset >= from[record.topic]) apply(joined, record)
        }
        const missed = told.filter(
          (update) =>
            update.type !== 'stats' &&
            update.place !== undefined &&
            update.place.offset >= from[update.place.topic],
        )
        const since = joined.since(position)
        const resumed = new Set(
          typeof since === 'string' ? [] : since.map((each) => JSON.stringify(each)),
        )
        expect(missed.filter((each) => !resumed.has(JSON.stringify(each)))).toEqual([])
        expect(contents(joined)).toEqual(contents(before))
      }),
    )
  }, 60_000)

  test('of each trade the highest version is held, of each version the first record', () => {
    fc.assert(
      fc.property(anyLog, (log) => {
        const memory = emptyMemory()
        for (const record of log) apply(memory, record)
        for (const instrument of instruments) {
          const held = memory.trades(`venue:${instrument}`, 100, origin)
          expect(new Set(held.map(({ tradeId }) => tradeId)).size).toBe(held.length)
          for (const { tradeId, version, json } of held) {
            const versions = log.flatMap(({ record }) =>
              'type' in record &&
              record.type === 'Trade' &&
              record.value.instrument === instrument &&
              record.value.tradeId === tradeId
                ? [record.value]
                : [],
            )
            const highest = Math.max(...versions.map((each) => each.version))
            const first = versions.find((each) => each.version === highest)
            expect(version).toBe(highest)
            expect(JSON.parse(json)).toMatchObject({ receivedAt: first?.receivedAt })
          }
        }
      }),
    )
  })
})
