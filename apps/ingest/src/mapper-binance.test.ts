import { noOptionalFacts } from '@tickertape/market-model'
import { describe, expect, it } from 'vitest'

import type { MappedTrade } from './mapped-trade.ts'
import { mapBinanceHistory, mapBinanceMessage } from './mapper-binance.ts'
import { rowOf } from './testing/rows-of.ts'

const context = { feedId: 'binance', receivedAt: 1_723_161_254_087, futureToleranceMs: 5_000 }

const event = {
  e: 'trade',
  E: 1723161255343,
  s: 'BTCUSDT',
  t: 3735683259,
  p: '61837.63000000',
  q: '0.02000000',
  T: 1723161255342,
  m: true,
  M: true,
}

function frame(fields: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ stream: 'btcusdt@trade', data: { ...event, ...fields } })
}

function mapOne(text: string): MappedTrade {
  return rowOf(mapBinanceMessage(text, context))
}

describe('a Binance trade', () => {
  it('becomes a confirmed trade whose sequence is its id', () => {
    expect(mapOne(frame())).toEqual({
      kind: 'trade',
      sequence: 3735683259,
      trade: {
        venue: 'binance',
        feedId: 'binance',
        instrument: 'BTCUSDT',
        tradeId: '3735683259',
        version: 0,
        status: 'confirmed',
        sequence: 3735683259,
        venueOrder: null,
        price: { mantissa: 6183763, exponent: -2 },
        quantity: { mantissa: 2, exponent: -2 },
        notionalUsd: null,
        takerSide: 'sell',
        eventTime: 1723161255342,
        receivedAt: context.receivedAt,
        ...noOptionalFacts,
      },
    })
  })

  it('was bought by the taker if the buyer is no maker', () => {
    expect(mapOne(frame({ m: false }))).toMatchObject({ trade: { takerSide: 'buy' } })
  })

  it('is read from a raw stream too', () => {
    expect(mapOne(JSON.stringify(event)).sequence).toBe(3735683259)
  })

  it('from history is the one from the stream', () => {
    const body = JSON.stringify([
      {
        id: 3735683259,
        price: '61837.63000000',
        qty: '0.02000000',
        quoteQty: '1236.75260000',
        time: 1723161255342,
        isBuyerMaker: true,
        isBestMatch: true,
      },
    ])
    expect(mapBinanceHistory('BTCUSDT', body, context)).toEqual([mapOne(frame())])
  })

  it('with an id that a double rounds is invalid, not another trade', () => {
    const text = frame().replace('3735683259', '9007199254740993')
    expect(mapOne(text)).toMatchObject({ kind: 'rejected', reason: 'invalid', original: text })
  })

  it.each([
    ['a price that is a number', { p: 61837.63 }],
    ['a price of zero', { p: '0.00000000' }],
    ['a quantity of zero', { q: '0.00000000' }],
    ['no quantity', { q: undefined }],
    ['no time', { T: undefined }],
  ])('with %s is invalid, keeps its bytes and covers its sequence', (_what, fields) => {
    expect(mapOne(frame(fields))).toMatchObject({
      kind: 'rejected',
      reason: 'invalid',
      original: frame(fields),
      instrument: 'BTCUSDT',
      sequence: 3735683259,
    })
  })

  it('is from the future only beyond the tolerance', () => {
    const limit = context.receivedAt + context.futureToleranceMs
    expect(mapOne(frame({ T: limit })).kind).toBe('trade')
    expect(mapOne(frame({ T: limit + 1 }))).toMatchObject({ reason: 'future' })
  })
})

describe('other Binance messages', () => {
  it.each([
    ['an acknowledgement', '{"result":null,"id":1}', { type: 'answer', id: 1, result: null }],
    [
      'a list of subscriptions',
      '{"result":["btcusdt@trade"],"id":2}',
      { type: 'answer', id: 2, result: ['btcusdt@trade'] },
    ],
    [
      'an error',
      '{"error":{"code":2,"msg":"Invalid request"},"id":3}',
      { type: 'error', id: 3, message: '2 Invalid request' },
    ],
    ['an announced end', '{"e":"serverShutdown","E":1770123456789}', { type: 'shutdown' }],
    ['another stream', '{"stream":"x@kline_1m","data":{"e":"kline"}}', { type: 'other' }],
  ])('%s is told apart', (_what, text, expected) => {
    expect(mapBinanceMessage(text, context)).toEqual(expected)
  })

  it.each(['{"stream":"btcusdt@tr', '', '[]', 'null', '{}'])('%j is malformed', (text) => {
    expect(mapBinanceMessage(text, context).type).toBe('malformed')
  })

  it.each(['{"code":-1121,"msg":"Invalid symbol."}', 'not JSON'])(
    'a history of %j is an error',
    (body) => {
      expect(() => mapBinanceHistory('BTCUSDT', body, context)).toThrow(
        /holds no trades|not valid JSON/,
      )
    },
  )
})
