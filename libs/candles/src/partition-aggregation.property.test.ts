import type { Candle, MarketEvent, PartitionState, InstrumentState } from '@tickertape/market-model'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AggregationSettings } from './aggregation-settings.ts'
import type { EventOutcome } from './partition-aggregation.ts'
import { epoch, heartbeat, marketLogs, movingMarketLogs, tradeEvent } from './market-logs.ts'
import { PartitionAggregation } from './partition-aggregation.ts'
import { referenceRun } from './reference-candles.ts'

const settings: AggregationSettings = {
  graceMs: 1_000,
  futureToleranceMs: 5_000,
  intervals: ['1s', '1m', '5m', '15m'],
  indicators: ['close:span=3', 'close:alpha=0.5,adjust=false,min=3', 'close:halflife=2m'],
  quietSpanMs: 240_000,
}

interface Run {
  readonly outcomes: readonly EventOutcome[]
  readonly candles: readonly Candle[]
}

/** A partition's changelog after compaction. */
interface Changelog {
  partition: PartitionState | undefined
  readonly instruments: Map<string, InstrumentState>
}

/** The whole log in one go, one record after the other. */
function run(events: readonly MarketEvent[], own: AggregationSettings = settings): Run {
  const aggregation = new PartitionAggregation(own)
  const outcomes: EventOutcome[] = []
  const candles: Candle[] = []
  for (const [offset, event] of events.entries()) {
    let step = aggregation.apply(event, offset)
    outcomes.push(step.outcome)
    candles.push(...step.candles)
    while (step.unfinished) {
      step = aggregation.apply(event, offset)
      candles.push(...step.candles)
    }
  }
  return { outcomes, candles }
}

/** What a crash finds in the steps of a run. */
type Fate = 'go on' | 'commit' | 'crash'

/**
 * The log in transactions, with crashes: what was not committed is thrown away, and a new
 * aggregation is restored from the changelog and the log.
 */
function runWithCrashes(
  events: readonly MarketEvent[],
  fates: readonly Fate[],
  own: AggregationSettings = settings,
): Run {
  const changelog: Changelog = { partition: undefined, instruments: new Map() }
  const outcomes = new Map<number, EventOutcome>()
  const committed: Candle[] = []
  let pending: Candle[] = []
  let aggregation = new PartitionAggregation(own)
  let steps = 0
  let offset = 0

  function commit(nextOffset: number): void {
    const changes = structuredClone(aggregation.takeChanges(nextOffset))
    changelog.partition = changes.partition
    for (const state of changes.instruments) changelog.instruments.set(state.instrumentId, state)
    committed.push(...pending)
    pending = []
  }

  while (offset < events.length) {
    const event = events[offset]
    if (event === undefined) break
    const { outcome, candles, unfinished } = aggregation.apply(event, offset)
    if (!outcomes.has(offset)) outcomes.set(offset, outcome)
    expect(outcome).toBe(outcomes.get(offset))
    pending.push(...candles)
    if (!unfinished) offset += 1
    const fate = steps < 3_000 ? fates[steps % fates.length] : 'go on'
    steps += 1
    if (fate === 'commit') commit(offset)
    if (fate !== 'crash') continue
    pending = []
    const state = structuredClone(changelog)
    aggregation = PartitionAggregation.restore(own, state.partition, state.instruments.values())
    offset = state.partition?.committedOffset ?? 0
    const from = state.partition?.restoreOffset ?? 0
    for (const [at, old] of events.slice(from, offset).entries()) {
      aggregation.replay(old, from + at)
    }
  }
  commit(offset)
  return { outcomes: events.map((_, at) => outcomes.get(at) ?? 'ignored'), candles: committed }
}

const logs = marketLogs(150)
const fates: fc.Arbitrary<readonly Fate[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant('go on' as const) },
    { weight: 3, arbitrary: fc.constant('commit' as const) },
    { weight: 1, arbitrary: fc.constant('crash' as const) },
  ),
  { minLength: 1, maxLength: 40 },
)
const stepSizes = fc.constantFrom(1, 5, 20_000)

describe('any log', () => {
  test('gives the outcomes and candles that the reference computes from the list of all trades', () => {
    fc.assert(
      fc.property(logs, (events) => {
        expect(run(events)).toStrictEqual(referenceRun(settings, events))
      }),
      { numRuns: 200 },
    )
  }, 120_000)

  test('gives the same to a reader that commits and crashes at any point', () => {
    fc.assert(
      fc.property(logs, fates, stepSizes, (events, fate, step) => {
        const crashing = runWithCrashes(events, fate, { ...settings, maxCandlesPerStep: step })
        expect(crashing).toStrictEqual(run(events))
      }),
      { numRuns: 200 },
    )
  }, 120_000)

  test('gives the same candles when each heartbeat is applied in the smallest steps', () => {
    fc.assert(
      fc.property(logs, (events) => {
        expect(run(events, { ...settings, maxCandlesPerStep: 1 })).toStrictEqual(run(events))
      }),
    )
  })

  test('gives the same candles when every record comes twice, at any distance', () => {
    const distances = fc.array(fc.nat(50), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(logs, distances, (events, distance) => {
        const repeated = events
          .flatMap((event, at) => [
            { event, at },
            { event, at: at + (distance[at % distance.length] ?? 0) + 0.5 },
          ])
          // A gap or status record again, later, would be news.
          .filter(({ event, at }) => Number.isInteger(at) || event.type === 'Trade')
          .sort((a, b) => a.at - b.at)
          .map(({ event }) => event)
        expect(run(repeated).candles).toStrictEqual(run(events).candles)
      }),
    )
  })
})

describe('a log in which instruments change their feed', () => {
  const moving = movingMarketLogs(150)

  test('gives the same candles to a reader that commits and crashes at any point', () => {
    fc.assert(
      fc.property(moving, fates, stepSizes, (events, fate, step) => {
        const crashing = runWithCrashes(events, fate, { ...settings, maxCandlesPerStep: step })
        expect(crashing).toStrictEqual(run(events))
      }),
      { numRuns: 200 },
    )
  }, 120_000)

  test('counts every accepted trade in exactly one candle of each interval, and no candle twice', () => {
    fc.assert(
      fc.property(moving, (events) => {
        const end = epoch + 1e9
        const closed = [...events, heartbeat(end), heartbeat(end, 'binance')]
        const { outcomes, candles } = run(closed)
        const accepted = outcomes.filter(
          (outcome, at) => outcome === 'accepted' && closed[at]?.type === 'Trade',
        )
        for (const interval of settings.intervals) {
          const own = candles.filter((candle) => candle.interval === interval)
          const keys = own.map((candle) => `${candle.instrumentId} ${candle.windowStart}`)
          expect(new Set(keys).size).toBe(keys.length)
          const counted = own.reduce((sum, candle) => sum + candle.tradeCount, 0)
          expect(counted).toBe(accepted.length)
        }
      }),
      { numRuns: 200 },
    )
  }, 120_000)
})

describe('disorder within grace', () => {
  const facts = fc.record({
    name: fc.constantFrom('BTC', 'ETH'),
    isSequenced: fc.boolean(),
    time: fc.oneof(fc.nat(5_000), fc.nat(150_000)),
    price: fc.integer({ min: 1, max: 9 }),
    quantity: fc.integer({ min: 1, max: 100 }),
    delays: fc.tuple(fc.nat(1_000), fc.nat(1_000)),
  })

  /** Trades arrive with their delays, heartbeats at the time that they speak of. */
  function logOf(
    trades: readonly (typeof facts extends fc.Arbitrary<infer T> ? T : never)[],
    which: 0 | 1,
  ) {
    const arrivals = trades.map(({ name, isSequenced, time, price, quantity, delays }, at) => ({
      at: time + delays[which],
      rank: 0,
      event: tradeEvent({
        // Sequences in the order of time or not: both are some venue's.
        instrument: isSequenced ? name : `${name}-unsequenced`,
        tradeId: `id-${at}`,
        sequence: isSequenced ? at + 1 : null,
        price: { mantissa: price, exponent: 0 },
        quantity: { mantissa: quantity, exponent: -1 },
        eventTime: epoch + time,
      }),
    }))
    const beats = Array.from({ length: 800 }, (_, beat) => ({
      at: beat * 250,
      rank: 1,
      event: heartbeat(epoch + beat * 250),
    }))
    return [...arrivals, ...beats].sort((a, b) => a.at - b.at || a.rank - b.rank)
  }

  test('any order of arrival gives the same candles', () => {
    const events = (log: ReturnType<typeof logOf>) => log.map(({ event }) => event)
    fc.assert(
      fc.property(fc.array(facts, { maxLength: 60 }), (trades) => {
        const first = run(events(logOf(trades, 0)))
        const second = run(events(logOf(trades, 1)))
        expect(first.outcomes).not.toContain('late')
        expect(second.candles).toStrictEqual(first.candles)
      }),
    )
  }, 60_000)
})
