import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { formatDecimal, noOptionalFacts } from '@tickertape/market-model'

import { mapCoinbaseHistory } from './coinbase-row.ts'
import type { MappedTrade } from './mapped-trade.ts'
import { mapCoinbaseMessage } from './mapper-coinbase.ts'
import { decimalTexts, plainDigits } from './testing/decimal-texts.ts'
import { rowOf } from './testing/rows-of.ts'

const context = { feedId: 'coinbase', receivedAt: 1_779_235_200_120, futureToleranceMs: 5_000 }

const match = {
  type: 'match',
  trade_id: 731904417,
  maker_order_id: 'f2a1f3a8-0c53-4f58-8f0e-6a4f3a3c1d10',
  taker_order_id: '0b9a1f7e-3c1d-4f0e-9a55-1f2e3d4c5b6a',
  side: 'sell',
  size: '0.00310000',
  price: '77012.50',
  product_id: 'BTC-USD',
  sequence: 98127441212,
  time: '2026-05-20T00:00:00.040518Z',
}

function mapOne(fields: Readonly<Record<string, unknown>> = {}): MappedTrade {
  return rowOf(mapCoinbaseMessage(JSON.stringify({ ...match, ...fields }), context))
}

describe('a match', () => {
  it('becomes a confirmed trade, whose sequence is its id and whose taker is not the maker', () => {
    expect(mapOne()).toEqual({
      kind: 'trade',
      sequence: 731904417,
      trade: {
        venue: 'coinbase',
        feedId: 'coinbase',
        instrument: 'BTC-USD',
        tradeId: '731904417',
        version: 0,
        status: 'confirmed',
        sequence: 731904417,
        venueOrder: null,
        price: { mantissa: 770125, exponent: -1 },
        quantity: { mantissa: 31, exponent: -4 },
        notionalUsd: { mantissa: 23873875, exponent: -5 },
        takerSide: 'buy',
        eventTime: Date.UTC(2026, 4, 20, 0, 0, 0, 40),
        receivedAt: context.receivedAt,
        ...noOptionalFacts,
      },
    })
  })

  it.each([
    ['buy', 'sell'],
    ['sell', 'buy'],
    ['both', 'unknown'],
    [undefined, 'unknown'],
  ])('whose maker is on the side %s has a taker on %s', (side, takerSide) => {
    expect(mapOne({ side })).toMatchObject({ trade: { takerSide } })
  })

  it('before the subscription is a trade like any other', () => {
    expect(mapOne({ type: 'last_match' })).toEqual(mapOne())
  })

  it('keeps every digit of price and size', () => {
    fc.assert(
      fc.property(decimalTexts, decimalTexts, (price, size) => {
        const mapped = mapOne({ price, size })
        if (mapped.kind !== 'trade') throw new Error(mapped.message)
        expect(formatDecimal(mapped.trade.price)).toBe(plainDigits(price))
        expect(formatDecimal(mapped.trade.quantity)).toBe(plainDigits(size))
      }),
    )
  })

  it.each(['BTC-EUR', 'BTC-USDC', 'ETH-BTC'])('of %s has no worth in dollars', (product_id) => {
    expect(mapOne({ product_id })).toMatchObject({ trade: { notionalUsd: null } })
  })

  it('from history is the one from the stream, and the oldest comes first', () => {
    const { price, side, size, time } = match
    const row = { time, trade_id: match.trade_id, price, size, side }
    const older = { ...row, trade_id: match.trade_id - 1 }
    const body = JSON.stringify([row, older])
    expect(mapCoinbaseHistory('coinbase', 'BTC-USD', body, context)).toEqual([
      mapOne({ trade_id: match.trade_id - 1 }),
      mapOne(),
    ])
  })

  it.each([
    ['a price that is a number', { price: 77012.5 }],
    ['a price that is none', { price: 'NaN' }],
    ['a negative price', { price: '-1' }],
    ['a size of zero', { size: '0.00000000' }],
    ['no size', { size: undefined }],
    ['no time', { time: undefined }],
    ['a time without a zone', { time: '2026-05-20T00:00:00.040518' }],
    ['a time before the epoch', { time: '0001-01-01T00:00:00Z' }],
  ])('with %s is invalid, keeps its bytes and covers its sequence', (_what, fields) => {
    expect(mapOne(fields)).toMatchObject({
      kind: 'rejected',
      reason: 'invalid',
      original: JSON.stringify({ ...match, ...fields }),
      instrument: 'BTC-USD',
      sequence: 731904417,
    })
  })

  it.each([
    ['is missing', undefined],
    ['a double rounds', '9007199254740993'],
    ['is no number', 'one'],
  ])('with an id that %s covers no sequence', (_what, trade_id) => {
    expect(mapOne({ trade_id })).toMatchObject({ reason: 'invalid', sequence: undefined })
  })

  it('is from the future only beyond the tolerance', () => {
    const limit = context.receivedAt + context.futureToleranceMs
    expect(mapOne({ time: new Date(limit).toISOString() }).kind).toBe('trade')
    expect(mapOne({ time: new Date(limit + 1).toISOString() })).toMatchObject({ reason: 'future' })
  })
})

describe('other messages of Coinbase Exchange', () => {
  it.each([
    [
      'an acknowledgement',
      '{"type":"subscriptions","channels":[{"name":"matches","product_ids":["BTC-USD","ETH-USD"]},{"name":"heartbeat","product_ids":["BTC-USD","SOL-USD"]}]}',
      { type: 'subscribed', instruments: ['BTC-USD', 'ETH-USD'] },
    ],
    [
      'a heartbeat',
      '{"type":"heartbeat","sequence":98127441290,"last_trade_id":731904417,"product_id":"BTC-USD","time":"2026-05-20T00:00:01.000213Z"}',
      {
        type: 'heartbeat',
        instrument: 'BTC-USD',
        time: Date.UTC(2026, 4, 20, 0, 0, 1),
        lastSequence: 731904417,
      },
    ],
    [
      'a refused subscription',
      '{"type":"error","message":"Failed to subscribe","reason":"NO-SUCH is not a valid product"}',
      {
        type: 'error',
        message: 'Failed to subscribe: NO-SUCH is not a valid product',
        instrument: 'NO-SUCH',
      },
    ],
    [
      'another error',
      '{"type":"error","message":"Too many requests"}',
      { type: 'error', message: 'Too many requests', instrument: undefined },
    ],
    ['another channel', '{"type":"ticker","product_id":"BTC-USD"}', { type: 'other' }],
  ])('%s is told apart', (_what, text, expected) => {
    expect(mapCoinbaseMessage(text, context)).toEqual(expected)
  })

  it.each(['{"type":"match","trade_id":73190', '', '[]', 'null', '{}', '{"type":"heartbeat"}'])(
    '%j is malformed',
    (text) => {
      expect(mapCoinbaseMessage(text, context).type).toBe('malformed')
    },
  )

  it('no text at all makes the mapper throw', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(mapCoinbaseMessage(text, context).type).toMatch(/^(?:malformed|other)$/)
        const typed = `{"type":"match","price":${text}}`
        expect(mapCoinbaseMessage(typed, context).type).toMatch(/^(?:trades|malformed)$/)
        const listed = `{"type":"subscriptions","channels":${text}}`
        expect(mapCoinbaseMessage(listed, context).type).toMatch(/^(?:subscribed|malformed)$/)
      }),
    )
  })

  it.each(['{"message":"NotFound"}', 'null', '<html>'])(
    'the answer %s over REST is an error',
    (body) => {
      expect(() => mapCoinbaseHistory('coinbase', 'BTC-USD', body, context)).toThrow(/trades|JSON/)
    },
  )
})
