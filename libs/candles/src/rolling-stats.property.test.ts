import type { Candle, Decimal } from '@tickertape/market-model'
import { zero } from '@tickertape/market-model'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { InstrumentTerms } from './rolling-stats-groups.ts'
import { statsSpans } from './rolling-stats-instrument.ts'
import { ReferenceStats } from './rolling-stats-reference.ts'
import { RollingStats } from './rolling-stats.ts'

const start = 1_700_000_130_250
const terms = new Map<string, InstrumentTerms>([
  ['spot:BTC-USD', { base: 'BTC', quote: 'USD', quantityUnit: 'base' }],
  ['perp:BTC-USD', { base: 'BTC', quote: 'USD', quantityUnit: 'quote' }],
  ['spot:ETH-BTC', { base: 'ETH', quote: 'BTC', quantityUnit: 'base' }],
  ['perp:ETH-BTC', { base: 'ETH', quote: 'BTC', quantityUnit: 'contract' }],
  ['option:BTC', { base: 'BTC', quote: 'BTC', quantityUnit: 'base' }],
])
const instrumentIds = [...terms.keys(), 'unknown:X']
const pairs = [
  ['BTC', 'USD'],
  ['ETH', 'BTC'],
  ['BTC', 'BTC'],
  ['USD', 'BTC'],
] as const
const tokens = ['BTC', 'USD', 'ETH', 'XRP']

const amounts: fc.Arbitrary<Decimal> = fc.record(
  {
    mantissa: fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: 1, max: 9_999 }) },
      fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER - 1 }),
      fc.bigInt({ min: 2n ** 53n, max: 10n ** 25n }),
    ),
    exponent: fc.oneof(
      { weight: 8, arbitrary: fc.integer({ min: -8, max: 2 }) },
      fc.constantFrom(-150, -129, -128, 127, 128, 150),
    ),
  },
  { noNullPrototype: true },
)

const contents = fc.record(
  {
    volume: amounts,
    buyVolume: amounts,
    quoteVolume: amounts,
    notionalUsd: fc.option(amounts, { freq: 8 }),
    tradeCount: fc.integer({ min: 1, max: 1_000 }),
    quality: fc.constantFrom('gap', 'partial', 'backfilled', 'complete'),
  },
  { noNullPrototype: true },
)

/** A window by how far from the time it ends, in windows: near the edges of spans, mostly. */
const places = fc.oneof(
  fc.record({ interval: fc.constant('1s'), ago: fc.integer({ min: -2, max: 3 }) }),
  fc.record({ interval: fc.constant('1s'), ago: fc.integer({ min: 55, max: 65 }) }),
  fc.record({ interval: fc.constant('1s'), ago: fc.integer({ min: 297, max: 301 }) }),
  fc.record({ interval: fc.constant('1m'), ago: fc.integer({ min: -11, max: 7 }) }),
  fc.record({ interval: fc.constant('1m'), ago: fc.integer({ min: 58, max: 61 }) }),
  fc.record({ interval: fc.constant('1m'), ago: fc.integer({ min: 1_437, max: 1_441 }) }),
)

const versions = fc.record({
  revision: fc.integer({ min: 0, max: 3 }),
  rebuildId: fc.option(fc.constantFrom(0, 5, 2 ** 40), { freq: 3 }),
})

type Step =
  | { readonly kind: 'candle'; readonly place: Place; readonly facts: Partial<Candle> }
  | { readonly kind: 'again'; readonly which: number; readonly facts: Partial<Candle> }
  | { readonly kind: 'advance'; readonly byMs: number }

interface Place {
  readonly interval: string
  readonly ago: number
}

const withoutTrades: Partial<Candle> = {
  volume: zero,
  buyVolume: zero,
  quoteVolume: zero,
  notionalUsd: zero,
  tradeCount: 0,
  quality: 'quiet',
}

const candleFacts: fc.Arbitrary<Partial<Candle>> = fc
  .tuple(fc.constantFrom(...instrumentIds), versions, fc.option(contents, { freq: 4 }))
  .map(([instrumentId, version, content]) => ({
    instrumentId,
    ...version,
    ...(content ?? withoutTrades),
  }))

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('candle'), place: places, facts: candleFacts }),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.nat(60), versions, fc.option(contents, { freq: 3 }), fc.boolean())
      .map(([which, version, content, isCopy]) => ({
        kind: 'again' as const,
        which,
        facts: isCopy ? {} : { ...version, ...(content ?? withoutTrades) },
      })),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('advance'),
      byMs: fc.oneof(
        fc.constantFrom(-1_000, 0, 1, 750, 1_000, 29_000, 60_000, 240_000, 300_000, 3_540_000),
        fc.constantFrom(3_600_000, 86_100_000, 86_400_000, 300_000_000),
        fc.integer({ min: 0, max: 400_000 }),
      ),
    }),
  },
)

function candleAt(asOf: number, { interval, ago }: Place, facts: Partial<Candle>): Candle {
  const length = interval === '1s' ? 1_000 : 60_000
  const windowEnd = Math.floor(asOf / length) * length - ago * length
  return {
    instrumentId: 'spot:BTC-USD',
    interval,
    windowStart: windowEnd - length,
    windowEnd,
    open: zero,
    high: zero,
    low: zero,
    close: zero,
    volume: zero,
    buyVolume: zero,
    quoteVolume: zero,
    notionalUsd: zero,
    vwap: null,
    tradeCount: 0,
    indicators: {},
    quality: 'quiet',
    revision: 0,
    final: true,
    firstSequence: null,
    lastSequence: null,
    rebuildId: null,
    ...facts,
  }
}

function candleOf(step: Step, asOf: number, seen: readonly Candle[]): Candle | undefined {
  if (step.kind === 'advance') return undefined
  if (step.kind === 'candle') return candleAt(asOf, step.place, step.facts)
  const earlier = seen[step.which % seen.length]
  return earlier && { ...earlier, ...step.facts }
}

type Stats = Pick<RollingStats, 'instrument' | 'pair' | 'token'>

function answers(stats: Stats): unknown {
  return statsSpans.map((span) => ({
    instruments: instrumentIds.map((instrumentId) => stats.instrument(instrumentId, span)),
    pairs: pairs.map(([base, quote]) => stats.pair(base, quote, span)),
    tokens: tokens.map((token) => stats.token(token, span)),
  }))
}

describe('rolling stats', () => {
  test('are at every moment what the list of all candles comes to', () => {
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 60 }), (list) => {
        const stats = new RollingStats(start, (instrumentId) => terms.get(instrumentId))
        const reference = new ReferenceStats(start, terms)
        const seen: Candle[] = []
        for (const step of list) {
          if (step.kind === 'advance') {
            const eventTime = stats.asOf + step.byMs
            stats.advance(eventTime)
            reference.advance(eventTime)
          }
          const candle = candleOf(step, stats.asOf, seen)
          if (candle !== undefined) seen.push(candle)
          expect(candle && stats.apply(candle)).toBe(candle && reference.apply(candle))
          expect(answers(stats)).toStrictEqual(answers(reference))
        }
      }),
      { numRuns: 400 },
    )
  })

  test('do not depend on the order in which candles and copies of them come', () => {
    const candles = fc.array(fc.tuple(places, candleFacts), { minLength: 2, maxLength: 25 })
    const cases = candles.chain((list) => {
      // What a version of a window says is always the same.
      const byVersion = new Map<string, Candle>()
      for (const [place, facts] of list) {
        const candle = candleAt(start, place, facts)
        const { instrumentId, interval, windowStart, revision, rebuildId } = candle
        const key = [instrumentId, interval, windowStart, revision, rebuildId].join()
        byVersion.set(key, byVersion.get(key) ?? candle)
      }
      const all = [...byVersion.values(), ...byVersion.values()]
      const shuffled = fc.shuffledSubarray(all, { minLength: all.length })
      return fc.tuple(shuffled, shuffled, fc.constantFrom(0, 60_000, 500_000, 86_000_000))
    })
    fc.assert(
      fc.property(cases, ([first, second, byMs]) => {
        const [one, other] = [first, second].map((list) => {
          const stats = new RollingStats(start, (instrumentId) => terms.get(instrumentId))
          for (const candle of list) stats.apply(candle)
          stats.advance(start + byMs)
          return answers(stats)
        })
        expect(one).toStrictEqual(other)
      }),
    )
  })
})
