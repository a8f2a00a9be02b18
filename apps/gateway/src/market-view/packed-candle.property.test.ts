import { divideDecimals, intervals, intervalMs, normalizeDecimal } from '@tickertape/market-model'
import type { Candle, Decimal, Interval } from '@tickertape/market-model'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { candleJson } from './candle-json.ts'
import { TextBudget } from './candle-texts.ts'
import { ClosedCandles, encodeCandle } from './closed-candles.ts'
import { packCandle, unpackCandle } from './packed-candle.ts'
import { candle } from './testing/market.ts'

const decimal: fc.Arbitrary<Decimal> = fc
  .record({
    mantissa: fc.oneof(
      fc.maxSafeInteger(),
      fc.integer({ min: 0, max: 10_000_000 }),
      fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }),
    ),
    exponent: fc.integer({ min: -12, max: 4 }),
  })
  .map(normalizeDecimal)
const maybeCount = fc.option(fc.maxSafeNat())

const anyCandle: fc.Arbitrary<Candle & { readonly interval: Interval }> = fc
  .record({
    interval: fc.constantFrom(...intervals),
    windowStart: fc.nat(1_000_000),
    prices: fc.tuple(decimal, decimal, decimal, decimal),
    sums: fc.tuple(decimal, decimal, decimal),
    notional: fc.option(decimal),
    notionalIsQuote: fc.boolean(),
    vwap: fc.constantFrom('none', 'usual', 'inverse', 'other'),
    tradeCount: fc.maxSafeNat(),
    indicators: fc.dictionary(fc.constantFrom('a', 'b', 'c:span=12'), fc.double({ noNaN: true })),
    quality: fc.constantFrom('complete', 'quiet', 'gap', 'backfilled', 'partial'),
    revision: fc.nat(),
    first: maybeCount,
    last: maybeCount,
    rebuildId: maybeCount,
  })
  .map(({ prices, sums, notional, notionalIsQuote, vwap, first, last, ...rest }) => {
    const [volume, buyVolume, quoteVolume] = sums
    const hasVwap = volume.mantissa !== 0 && quoteVolume.mantissa !== 0
    const vwaps: Record<string, Decimal | null> = {
      none: null,
      usual: hasVwap ? divideDecimals(quoteVolume, volume, 18) : null,
      inverse: hasVwap ? divideDecimals(volume, quoteVolume, 18) : null,
      other: { mantissa: 123, exponent: -5 },
    }
    const [open, high, low, close] = prices
    return {
      ...candle(),
      ...rest,
      windowEnd: rest.windowStart + intervalMs(rest.interval),
      open,
      high,
      low,
      close,
      volume,
      buyVolume,
      quoteVolume,
      notionalUsd: notionalIsQuote ? quoteVolume : notional,
      vwap: vwaps[vwap] ?? null,
      firstSequence: first,
      lastSequence: last,
    }
  })

describe('packed candles', () => {
  test('what can be packed is the same candle again, to the last digit', () => {
    const series = { instrumentId: 'venue:a', interval: '1m' as const, indicators: [] }
    fc.assert(
      fc.property(anyCandle, (of) => {
        const own = { ...of, interval: '1m' as const, windowEnd: of.windowStart + 60_000 }
        const packed = packCandle(own, series)
        const again = packed && candleJson(unpackCandle(packed, 0, series, own.windowStart))
        expect(again ?? candleJson(own)).toBe(candleJson(own))
      }),
      { numRuns: 1_000 },
    )
  })

  test('an ordinary candle takes less than 80 bytes', () => {
    const series = { instrumentId: 'venue:a', interval: '1m' as const, indicators: [] }
    expect(packCandle(candle(), series)?.length).toBeLessThan(80)
  })

  test('whatever is set, revised and removed, the latest are read as they were set', () => {
    const step = fc.record({ of: anyCandle, removes: fc.boolean(), reads: fc.nat(10) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.nat(3_000), (steps, textBytes) => {
        const closed = new ClosedCandles('venue:a', '1m', new TextBudget(textBytes))
        const expected = new Map<number, string>()
        for (const { of, removes, reads } of steps) {
          const windowStart = (of.windowStart % 20) * 60_000
          const own = {
            ...of,
            interval: '1m' as const,
            windowStart,
            windowEnd: windowStart + 60_000,
          }
          closed.set(own, encodeCandle(own, '1m'))
          expected.set(windowStart, candleJson(own))
          if (removes) {
            expected.delete(Math.min(...expected.keys()))
            closed.removeFirst()
          }
          const sorted = [...expected].toSorted(([a], [b]) => a - b).map(([, json]) => json)
          expect(closed.latest(reads).map(({ json }) => json)).toEqual(
            sorted.slice(Math.max(0, sorted.length - reads)),
          )
          expect(closed.length).toBe(expected.size)
        }
      }),
    )
  })
})
