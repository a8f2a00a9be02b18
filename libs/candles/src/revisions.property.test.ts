import type { Candle, MarketEvent, StoredWindow, Trade } from '@tickertape/market-model'
import type { AggregationSettings } from './aggregation-settings.ts'
import type { Run } from './market-logs-playback.ts'
import type { StoredWindowCodec } from './packed-windows.ts'
import { isDeepStrictEqual } from 'node:util'
import { deserialize, serialize } from 'node:v8'
import { instrumentIdOf } from '@tickertape/market-model'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { marketLogs, movingMarketLogs, withAllClosed } from './market-logs-arbitrary.ts'
import { firstDifference, latestCandles, run, windowOf } from './market-logs-playback.ts'
import { epoch, heartbeat, tradeEvent } from './market-logs.ts'

const numRuns = 100

const codec: StoredWindowCodec = {
  encode: (window) => new Uint8Array(serialize(window)),
  // What was encoded is a stored window.
  decode: (bytes) => deserialize(bytes) as StoredWindow,
}

const settings: AggregationSettings = {
  graceMs: 1_000,
  futureToleranceMs: 5_000,
  horizonMs: 60_000,
  gapSpanMs: 400_000,
  quietSpanMs: 240_000,
  intervals: ['1s', '1m', '5m', '15m'],
  indicators: [],
}
const unforgetting = { ...settings, horizonMs: 1e9 }

const logs = marketLogs(150)

describe('duplicates', () => {
  const distances = fc.array(fc.nat(100), { minLength: 1, maxLength: 20 })
  const means = ['close:span=3', 'price:halflife=30s']

  test.each([
    // An id may be used again once its window is forgotten: no duplicate of what was refused for it.
    [60_000, ['accepted', 'revised', 'uncounted', 'late']],
    [1e9, ['accepted', 'revised', 'uncounted', 'duplicate', 'conflict', 'superseded']],
  ])(
    'at any distance change nothing (horizon %i ms)',
    (horizonMs, repeatable) => {
      const own = { ...settings, horizonMs, indicators: means }
      fc.assert(
        fc.property(logs, distances, (events, distance) => {
          const once = run(own, codec, events)
          const repeated = events
            .flatMap((event, at) => [
              { event, at },
              { event, at: at + (distance[at % distance.length] ?? 0) + 0.5 },
            ])
            .filter(({ event, at }) => {
              if (Number.isInteger(at)) return true
              return (
                event.type === 'Trade' &&
                repeatable.includes(once.outcomes[events.indexOf(event)] ?? '') &&
                (event.value.sequence !== null ||
                  horizonMs === 1e9 ||
                  !isMoved(events, event.value))
              )
            })
            .sort((a, b) => a.at - b.at)
            .map(({ event }) => event)
          expect(candleDifference(run(own, codec, repeated), once)).toBeUndefined()
        }),
        { numRuns },
      )
    },
    120_000,
  )

  /** Whether some record puts the trade into another window, which may be forgotten before this one. */
  function isMoved(events: readonly MarketEvent[], trade: Trade): boolean {
    return tradesOf(events).some(
      (other) => isSameTrade(other, trade) && other.eventTime !== trade.eventTime,
    )
  }
})

describe('a cancelled trade', () => {
  test('leaves the candles that there were without it, but for those that only it caused', () => {
    fc.assert(
      fc.property(logs, fc.nat(), fc.nat(), (log, which, distance) => {
        // What is said of an instrument counts from the first record on: it is said before all of them.
        const begin = log.findIndex(({ type }) => type !== 'InstrumentStatus')
        const events = log.filter(
          (event, at) =>
            at < begin || event.type !== 'InstrumentStatus' || event.value.kind === null,
        )
        const { outcomes } = run(unforgetting, codec, events)
        const candidates = [...events.entries()].flatMap(([at, event]) =>
          event.type === 'Trade' &&
          (outcomes[at] === 'accepted' || outcomes[at] === 'revised') &&
          isAlone(events, event.value)
            ? [{ at, trade: event.value }]
            : [],
        )
        const chosen = candidates[which % Math.max(candidates.length, 1)]
        fc.pre(chosen !== undefined)
        const { at, trade } = chosen
        const cancelAt = at + 1 + (distance % (events.length - at))
        const cancel: MarketEvent = {
          type: 'Trade',
          value: { ...trade, version: trade.version + 1, status: 'cancelled' },
        }
        const cancelled = withAllClosed([
          ...events.slice(0, cancelAt),
          cancel,
          ...events.slice(cancelAt),
        ])
        const without = withAllClosed(events.filter((_, index) => index !== at))
        expectSameMarket(
          latestCandles(run(unforgetting, codec, cancelled).candles),
          latestCandles(run(unforgetting, codec, without).candles),
        )
      }),
      { numRuns: 2 * numRuns },
    )
  }, 120_000)

  function isAlone(events: readonly MarketEvent[], trade: Trade): boolean {
    const isAnswerToGap = events.some(
      ({ type, value }) =>
        type === 'SequenceGap' &&
        value.instrumentId === instrumentIdOf(trade) &&
        trade.sequence !== null &&
        trade.sequence >= (value.fromSequence ?? Infinity) &&
        trade.sequence <= (value.toSequence ?? -Infinity),
    )
    return !isAnswerToGap && tradesOf(events).filter((one) => isSameTrade(one, trade)).length === 1
  }

  /** Flat windows may be more; with no trade before them they go on from the cancelled one. */
  function expectSameMarket(
    cancelled: ReadonlyMap<string, Candle>,
    without: ReadonlyMap<string, Candle>,
  ): void {
    const [actual, expected] = [withTrades(cancelled), withTrades(without)]
    expect([...actual.keys()].sort()).toStrictEqual([...expected.keys()].sort())
    const differing = [...actual].filter(
      ([key, candle]) => !isDeepStrictEqual(candle, expected.get(key)),
    )
    expect(differing.slice(0, 1)).toStrictEqual([])
    const priced = [...without].filter(([, candle]) => hasTradeBefore(without, candle))
    const closes = priced.map(([key, { close }]) => ({ key, close }))
    expect(closes.map(({ key }) => ({ key, close: cancelled.get(key)?.close }))).toStrictEqual(
      closes,
    )
  }

  function withTrades(latest: ReadonlyMap<string, Candle>): Map<string, Candle> {
    const entries = [...latest].filter(([, { tradeCount }]) => tradeCount > 0)
    return new Map(entries.map(([key, candle]) => [key, unrevised(candle)]))
  }

  function hasTradeBefore(
    latest: ReadonlyMap<string, Candle>,
    { instrumentId, windowEnd }: Candle,
  ): boolean {
    return [...latest.values()].some(
      (candle) =>
        candle.instrumentId === instrumentId &&
        candle.interval === '1s' &&
        candle.tradeCount > 0 &&
        candle.windowEnd <= windowEnd,
    )
  }
})

describe('every trade', () => {
  test('that counts is in one latest candle of each interval, and revisions ascend by one', () => {
    fc.assert(
      fc.property(movingMarketLogs(150), fc.constantFrom(0, 60_000, 200_000), (log, horizonMs) => {
        const events = withAllClosed(log)
        const { outcomes, candles } = run({ ...settings, horizonMs }, codec, events)
        const standing = standingTrades(events, outcomes)
        const latest = [...latestCandles(candles).values()]
        for (const instrumentId of new Set(standing.map(instrumentIdOf))) {
          const counting = standing.filter(
            (trade) => instrumentIdOf(trade) === instrumentId && trade.status === 'confirmed',
          )
          for (const interval of settings.intervals) {
            const own = latest.filter(
              (candle) => candle.instrumentId === instrumentId && candle.interval === interval,
            )
            expect(own.reduce((sum, { tradeCount }) => sum + tradeCount, 0)).toBe(counting.length)
          }
        }
        const windows = Map.groupBy(candles, windowOf)
        const revisions = [...windows.values()].map((own) => own.map(({ revision }) => revision))
        expect(revisions.filter((own) => !isAscending(own))).toStrictEqual([])
      }),
      { numRuns: 2 * numRuns },
    )
  }, 120_000)

  /** The highest version of each trade with a sequence, of those that were taken. */
  function standingTrades(events: readonly MarketEvent[], outcomes: readonly string[]): Trade[] {
    const standing = new Map<string, Trade>()
    for (const [at, event] of events.entries()) {
      const isTaken = ['accepted', 'revised', 'uncounted'].includes(outcomes[at] ?? '')
      if (event.type !== 'Trade' || !isTaken || event.value.venue === 'okx') continue
      const { value: trade } = event
      if (trade.sequence !== null) standing.set(`${instrumentIdOf(trade)} ${trade.sequence}`, trade)
    }
    return [...standing.values()]
  }

  /** From 0 or 1. */
  function isAscending(revisions: readonly number[]): boolean {
    const [first = 0] = revisions
    return first <= 1 && revisions.every((revision, at) => revision === first + at)
  }
})

describe('the order of arrival', () => {
  const facts = fc.record({
    name: fc.constantFrom('BTC', 'ETH'),
    isSequenced: fc.boolean(),
    time: fc.oneof(fc.nat(5_000), fc.nat(600_000)),
    price: fc.integer({ min: 1, max: 9 }),
    quantity: fc.integer({ min: 1, max: 100 }),
    delays: fc.tuple(fc.nat(1_000), fc.nat(1_000)),
    lateness: fc.oneof(fc.constant(0), fc.nat(58_000)),
  })
  interface Facts {
    readonly name: string
    readonly isSequenced: boolean
    readonly time: number
    readonly price: number
    readonly quantity: number
    readonly delays: readonly [number, number]
    readonly lateness: number
  }

  /** Trades arrive with their delays, heartbeats at the time that they speak of. */
  function logOf(trades: readonly Facts[], delayOf: (trade: Facts) => number): MarketEvent[] {
    const arrivals = trades.map((trade, at) => ({
      at: trade.time + delayOf(trade),
      rank: 0,
      event: tradeEvent({
        // Sequences in the order of time or not: both are some venue's.
        instrument: trade.isSequenced ? trade.name : `${trade.name}-unsequenced`,
        tradeId: `id-${at}`,
        sequence: trade.isSequenced ? at + 1 : null,
        price: { mantissa: trade.price, exponent: 0 },
        quantity: { mantissa: trade.quantity, exponent: -1 },
        eventTime: epoch + trade.time,
      }),
    }))
    const beats = Array.from({ length: 1_400 }, (_, beat) => ({
      at: beat * 500,
      rank: 1,
      event: heartbeat(epoch + beat * 500),
    }))
    return [...arrivals, ...beats]
      .sort((a, b) => a.at - b.at || a.rank - b.rank)
      .map(({ event }) => event)
  }

  function unrevisedLatest({ candles }: Run): Map<string, Candle> {
    const latest = [...latestCandles(candles)]
    return new Map(latest.map(([key, candle]) => [key, unrevised(candle)]))
  }

  test('within grace changes nothing', () => {
    const own = { ...settings, indicators: ['close:span=3', 'price:halflife=30s'] }
    fc.assert(
      fc.property(fc.array(facts, { maxLength: 60 }), (trades) => {
        const [first, second] = ([0, 1] as const).map((which) =>
          run(
            own,
            codec,
            logOf(trades, ({ delays }) => delays[which]),
          ),
        )
        expect(first?.outcomes).not.toContain('revised')
        expect(second?.candles).toStrictEqual(first?.candles)
      }),
      { numRuns },
    )
  }, 120_000)

  test('within the horizon changes revisions, and what they come to in no way', () => {
    fc.assert(
      fc.property(fc.array(facts, { maxLength: 60 }), (trades) => {
        const inTime = run(
          settings,
          codec,
          logOf(trades, () => 0),
        )
        const late = run(
          settings,
          codec,
          logOf(trades, ({ lateness }) => lateness),
        )
        expect(late.outcomes).not.toContain('late')
        expect(unrevisedLatest(late)).toStrictEqual(unrevisedLatest(inTime))
      }),
      { numRuns },
    )
  }, 120_000)
})

function candleDifference(actual: Run, expected: Run): string | undefined {
  const none = { outcomes: [] }
  return firstDifference({ ...actual, ...none }, { ...expected, ...none })
}

function tradesOf(events: readonly MarketEvent[]): Trade[] {
  return events.flatMap((event) => (event.type === 'Trade' ? [event.value] : []))
}

function isSameTrade(a: Trade, b: Trade): boolean {
  return instrumentIdOf(a) === instrumentIdOf(b) && a.tradeId === b.tradeId
}

function unrevised(candle: Candle): Candle {
  return { ...candle, revision: 0 }
}
