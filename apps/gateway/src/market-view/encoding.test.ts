import { RollingStats } from '@tickertape/candles'
import {
  candle as candleSchema,
  instrumentStats,
  pairStats,
  tokenStats,
  trade as tradeSchema,
} from '@tickertape/market-api'
import type { CandleResource, TradeResource } from '@tickertape/market-api'
import { formatDecimal, intervals, normalizeDecimal } from '@tickertape/market-model'
import type { Candle, Decimal, Interval, Trade } from '@tickertape/market-model'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { candleJson } from './candle-json.ts'
import { instrumentStatsJson, pairStatsJson, tokenStatsJson } from './stats-json.ts'
import { candle } from './testing/market.ts'
import { expiredTradeJson, tradeJson } from './trade-json.ts'

const decimal: fc.Arbitrary<Decimal> = fc
  .record({
    mantissa: fc.oneof(fc.maxSafeInteger(), fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n })),
    exponent: fc.integer({ min: -30, max: 12 }),
  })
  .map(normalizeDecimal)
const maybe = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(of)
const instrumentId = fc
  .string({ minLength: 1, maxLength: 12 })
  .map((name) => `venue:${name.replaceAll(/\s/g, '_')}`)
const time = fc.integer({ min: 0, max: 4_000_000_000_000 })
const count = fc.nat()

const anyCandle: fc.Arbitrary<Candle & { readonly interval: Interval }> = fc.record({
  instrumentId,
  interval: fc.constantFrom(...intervals),
  windowStart: time,
  windowEnd: time,
  open: decimal,
  high: decimal,
  low: decimal,
  close: decimal,
  volume: decimal,
  buyVolume: decimal,
  quoteVolume: decimal,
  notionalUsd: maybe(decimal),
  vwap: maybe(decimal),
  tradeCount: count,
  indicators: fc.dictionary(
    // zod leaves this one name out.
    fc.string().filter((name) => name !== '__proto__'),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
  ),
  quality: fc.constantFrom('complete', 'quiet', 'gap', 'backfilled', 'partial'),
  revision: count,
  final: fc.boolean(),
  firstSequence: maybe(count),
  lastSequence: maybe(count),
  rebuildId: maybe(count),
})

const anyTrade: fc.Arbitrary<Trade> = fc.record({
  venue: fc.constant('venue'),
  feedId: fc.string(),
  instrument: fc.string(),
  tradeId: fc.string(),
  version: count,
  status: fc.constantFrom('confirmed', 'pending', 'cancelled'),
  sequence: maybe(count),
  venueOrder: maybe(count),
  price: decimal,
  quantity: decimal,
  notionalUsd: maybe(decimal),
  takerSide: fc.constantFrom('buy', 'sell', 'unknown'),
  eventTime: time,
  receivedAt: time,
  indexPrice: maybe(decimal),
  markPrice: maybe(decimal),
  impliedVolatility: maybe(decimal),
  liquidation: maybe(fc.string()),
  tickDirection: maybe(count),
  counterparty: maybe(fc.string()),
  book: maybe(fc.string()),
  maturesAt: maybe(time),
  txHash: maybe(fc.string()),
  baseToken: maybe(fc.string()),
  quoteToken: maybe(fc.string()),
})

function text(value: Decimal | null): string | null {
  return value === null ? null : formatDecimal(value)
}

describe('encoding', () => {
  test('a candle is written as JSON.stringify writes its resource, field by field', () => {
    fc.assert(
      fc.property(anyCandle, (of) => {
        const resource: CandleResource = {
          ...of,
          open: formatDecimal(of.open),
          high: formatDecimal(of.high),
          low: formatDecimal(of.low),
          close: formatDecimal(of.close),
          volume: formatDecimal(of.volume),
          buyVolume: formatDecimal(of.buyVolume),
          quoteVolume: formatDecimal(of.quoteVolume),
          notionalUsd: text(of.notionalUsd),
          vwap: text(of.vwap),
        }
        // The schema's order of fields; names of indicators, which it moves about, by length and letters.
        const names = Object.keys(of.indicators).toSorted()
        names.sort((one, other) => one.length - other.length)
        const indicators = Object.fromEntries(names.map((name) => [name, of.indicators[name]]))
        const parsed = { ...candleSchema.parse(resource), indicators }
        expect(candleJson(of)).toBe(JSON.stringify(parsed))
      }),
    )
  })

  test('a trade is written as JSON.stringify writes its resource, and expires in place', () => {
    fc.assert(
      fc.property(instrumentId, anyTrade, (id, of) => {
        const resource: TradeResource = {
          instrumentId: id,
          tradeId: of.tradeId,
          version: of.version,
          status: of.status,
          sequence: of.sequence,
          price: formatDecimal(of.price),
          quantity: formatDecimal(of.quantity),
          notionalUsd: text(of.notionalUsd),
          takerSide: of.takerSide,
          eventTime: of.eventTime,
          receivedAt: of.receivedAt,
          impliedVolatility: text(of.impliedVolatility),
          liquidation: of.liquidation,
          counterparty: of.counterparty,
          book: of.book,
          maturesAt: of.maturesAt,
          expired: false,
          txHash: of.txHash,
          baseToken: of.baseToken,
          quoteToken: of.quoteToken,
        }
        expect(tradeJson(id, of)).toBe(JSON.stringify(tradeSchema.parse(resource)))
        expect(expiredTradeJson(tradeJson(id, of))).toBe(
          JSON.stringify({ ...resource, expired: true }),
        )
      }),
    )
  })

  test('a text within a trade that looks like the field of its expiry is left alone', () => {
    const [sample] = fc.sample(anyTrade, { numRuns: 1, seed: 1 })
    if (sample === undefined) throw new Error('no sample')
    const hostile = { ...sample, tradeId: ',"expired":false', book: null }
    const json = expiredTradeJson(tradeJson('venue:x', hostile))
    expect(JSON.parse(json)).toMatchObject({ tradeId: ',"expired":false', expired: true })
  })

  test('statistics of instruments, pairs and tokens are written by their schemas', () => {
    const terms = { base: 'BTC', quote: 'US"D', quantityUnit: 'base' } as const
    const stats = new RollingStats(600_000, () => terms)
    stats.apply(candle({ windowStart: 540_000 }))
    for (const span of ['5m', '1h', '24h'] as const) {
      const written = [
        [instrumentStats, stats.instrument('venue:a', span), instrumentStatsJson],
        [pairStats, stats.pair('BTC', 'US"D', span), pairStatsJson],
        [tokenStats, stats.token('BTC', span), tokenStatsJson],
      ] as const
      for (const [schema, read, encode] of written) {
        // Each encoder stands beside the reading that it takes.
        const { head, rest } = (encode as (of: unknown, span: string) => ReturnType<typeof encode>)(
          read,
          span,
        )
        expect(JSON.stringify(schema.parse(JSON.parse(head + rest)))).toBe(head + rest)
      }
    }
  })
})
