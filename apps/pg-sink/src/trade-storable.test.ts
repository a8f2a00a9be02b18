import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { noOptionalFacts } from '@tickertape/market-model'
import type { Trade } from '@tickertape/market-model'

import { whyNotStorable } from './storable.ts'
import { whyTradeNotStorable } from './trade-storable.ts'

const time = Date.UTC(2026, 0, 5)

function trade(changes: Partial<Trade>): Trade {
  return {
    venue: 'deribit',
    feedId: 'deribit',
    instrument: 'BTC-PERPETUAL',
    tradeId: '1',
    version: 0,
    status: 'confirmed',
    sequence: 1,
    venueOrder: null,
    price: { mantissa: 1, exponent: 0 },
    quantity: { mantissa: 1, exponent: 0 },
    notionalUsd: null,
    takerSide: 'buy',
    eventTime: time,
    receivedAt: time,
    ...noOptionalFacts,
    ...changes,
  }
}

const text = fc.oneof(
  fc.constantFrom('a', 'a\0b', 'ü', '😀', 'a b', 'x'.repeat(200), 'x'.repeat(201), ''),
  fc.string({ maxLength: 5 }),
)
const decimal = fc.record({
  mantissa: fc.oneof(fc.integer(), fc.constantFrom(10n ** 30n, 10n ** 1_001n)),
  exponent: fc.constantFrom(0, -30, 31, -2_000, 2_001),
})
const times = fc.constantFrom(
  time,
  0,
  Date.UTC(2009, 0, 1),
  Date.UTC(2100, 0, 1),
  -1e15,
  8e15,
  Date.UTC(2008, 11, 31, 23, 59, 59, 999),
)
const changes = fc.record(
  {
    venue: text,
    feedId: text,
    instrument: text,
    tradeId: text,
    price: decimal,
    quantity: decimal,
    notionalUsd: fc.option(decimal),
    eventTime: times,
    receivedAt: times,
    indexPrice: fc.option(decimal),
    markPrice: fc.option(decimal),
    impliedVolatility: fc.option(decimal),
    liquidation: fc.option(text),
    counterparty: fc.option(text),
    book: fc.option(text),
    maturesAt: fc.option(times),
    txHash: fc.option(text),
    baseToken: fc.option(text),
    quoteToken: fc.option(text),
  },
  { requiredKeys: [] },
)

describe('a trade', () => {
  it('cannot be stored for what holds of any record, or because no partition takes its time', () => {
    fc.assert(
      fc.property(changes, (changed) => {
        const made = trade(changed)
        const general = whyNotStorable(
          made,
          ['eventTime', 'receivedAt', 'maturesAt'],
          ['venue', 'instrument', 'tradeId', 'feedId'],
        )
        const isOfDay =
          made.eventTime >= Date.UTC(2009, 0, 1) && made.eventTime < Date.UTC(2100, 0, 1)
        const unpartitioned = `eventTime is ${made.eventTime} ms, beyond the years 2009 to 2099`
        expect(whyTradeNotStorable(made)).toBe(general ?? (isOfDay ? undefined : unpartitioned))
      }),
      { numRuns: 1_000 },
    )
  })
})
