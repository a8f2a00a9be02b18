import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { noOptionalFacts } from '@tickertape/market-model'

import type { MappedTrade } from './mapped-trade.ts'
import { mapEventsHistory, mapEventsMessage } from './mapper-numbered-events.ts'
import { otcEvents } from './mapper-otc.ts'
import { rowOf } from './testing/rows-of.ts'

const executedAt = Date.UTC(2026, 4, 20, 9, 30)
const day = 86_400_000
const context = { feedId: 'otc', receivedAt: executedAt + 50, futureToleranceMs: 5_000 }

const row = {
  instrument: 'EUR-USD',
  sequence: 4711,
  tradeId: 'OTC-EUR-USD-4698',
  version: 1,
  status: 'confirmed',
  side: 'sell',
  price: '1.08350',
  quantity: '250000',
  counterparty: 'Halden Bank',
  book: 'FX-LDN',
  executedAt,
  maturesAt: executedAt + 30 * day,
}

function mapOne(fields: Readonly<Record<string, unknown>> = {}): MappedTrade {
  const text = JSON.stringify({ events: [{ ...row, ...fields }] })
  return rowOf(mapEventsMessage(text, context, otcEvents))
}

describe('an OTC trade', () => {
  it('has its counterparty, its book and its maturity', () => {
    expect(mapOne()).toEqual({
      kind: 'trade',
      sequence: 4711,
      trade: {
        venue: 'otc',
        feedId: 'otc',
        instrument: 'EUR-USD',
        tradeId: 'OTC-EUR-USD-4698',
        version: 1,
        status: 'confirmed',
        sequence: null,
        venueOrder: 4711,
        price: { mantissa: 10835, exponent: -4 },
        quantity: { mantissa: 25, exponent: 4 },
        notionalUsd: { mantissa: 270875, exponent: 0 },
        takerSide: 'sell',
        eventTime: executedAt,
        receivedAt: context.receivedAt,
        ...noOptionalFacts,
        counterparty: 'Halden Bank',
        book: 'FX-LDN',
        maturesAt: row.maturesAt,
      },
    })
  })

  // Readers know a trade with a sequence by that: the versions counted one beside the other, for each is an event
  // with a sequence of its own.
  it('has no sequence, whatever its version', () => {
    for (const version of [0, 1]) {
      expect(mapOne({ version })).toMatchObject({ trade: { sequence: null, venueOrder: 4711 } })
    }
  })

  it('that is cancelled keeps its id and has a higher version', () => {
    expect(mapOne({ version: 2, status: 'cancelled', sequence: 4730 })).toMatchObject({
      sequence: 4730,
      trade: { tradeId: row.tradeId, version: 2, status: 'cancelled' },
    })
  })

  it('from history is the one from the stream', () => {
    const page = mapEventsHistory(JSON.stringify({ events: [row], more: true }), context, otcEvents)
    expect(page).toEqual({ trades: [mapOne()], hasMore: true })
  })

  it('may mature in the moment of the trade, and not a millisecond before it', () => {
    expect(mapOne({ maturesAt: executedAt }).kind).toBe('trade')
    expect(mapOne({ maturesAt: executedAt - 1 })).toMatchObject({
      kind: 'rejected',
      reason: 'invalid',
      message: `it matures 1 ms before it was traded: executedAt ${executedAt}, maturesAt ${executedAt - 1}`,
      sequence: 4711,
      original: JSON.stringify({ ...row, maturesAt: executedAt - 1 }),
    })
  })

  it('with a field that nobody knows is turned away by its name', () => {
    expect(mapOne({ trader: 'x', desk: 1 })).toMatchObject({
      kind: 'rejected',
      reason: 'invalid',
      message: 'unknown fields: trader, desk',
      instrument: 'EUR-USD',
      sequence: 4711,
    })
  })

  it.each(Object.keys(row))('without %s, or with a wrong one, is turned away', (field) => {
    for (const value of [undefined, null, {}, -1.5, '']) {
      const { kind } = mapOne({ [field]: value })
      expect([value, kind]).toEqual([value, 'rejected'])
    }
  })

  it('from the future is turned away as such', () => {
    const limit = context.receivedAt + context.futureToleranceMs
    expect(mapOne({ executedAt: limit + 1 })).toMatchObject({ reason: 'future', sequence: 4711 })
  })
})

it('whatever an event holds, it becomes a trade or is turned away with its bytes', () => {
  const anyFields = fc.dictionary(fc.constantFrom(...Object.keys(row), 'other'), fc.jsonValue())
  fc.assert(
    fc.property(anyFields, (fields) => {
      const mapped = mapOne(fields)
      const isTrue =
        mapped.kind === 'trade'
          ? (mapped.trade.maturesAt ?? 0) >= mapped.trade.eventTime
          : mapped.original === JSON.stringify({ ...row, ...fields })
      expect(isTrue).toBe(true)
    }),
  )
})

describe('other messages', () => {
  it.each([
    ['{"id":3,"result":["EUR-USD"]}', { type: 'answer', id: 3, result: ['EUR-USD'] }],
    ['{"id":3,"error":"unknown op"}', { type: 'error', id: 3, message: 'unknown op' }],
    ['{"error":"no JSON"}', { type: 'error', id: undefined, message: 'no JSON' }],
    ['{"events":[]}', { type: 'trades', trades: [] }],
  ])('%s is told apart', (text, expected) => {
    expect(mapEventsMessage(text, context, otcEvents)).toEqual(expected)
  })

  it.each(['{"events":[', '', '7', '[]', '{}', '{"events":{}}', '{"id":1}'])(
    '%j is malformed',
    (text) => {
      expect(mapEventsMessage(text, context, otcEvents).type).toBe('malformed')
    },
  )

  it.each(['{}', '[]', 'not JSON', '{"error":"x"}'])('%j is no page of history', (text) => {
    expect(() => mapEventsHistory(text, context, otcEvents)).toThrow(
      /without events|not valid JSON/,
    )
  })
})
