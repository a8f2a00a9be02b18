import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { noOptionalFacts } from '@tickertape/market-model'

import { bybitMarkets } from './bybit-market.ts'
import type { MappedTrade } from './mapped-trade.ts'
import { bybitResult, mapBybitMessage, mapBybitRecent } from './mapper-bybit.ts'
import { rowOf, rowsOf } from './testing/rows-of.ts'

const { inverse, linear, spot } = bybitMarkets

const context = { feedId: 'bybit', receivedAt: 1_779_235_200_120, futureToleranceMs: 5_000 }

const row = {
  T: 1779235200040,
  s: 'BTCUSDT',
  S: 'Sell',
  v: '0.0310',
  p: '77012.50',
  L: 'MinusTick',
  i: '5b2c41a7-6a55-5c0e-9d1b-0d8a51f2b7e4',
  BT: false,
  RPI: false,
  seq: 391027744101,
}

function push(...rows: readonly unknown[]): string {
  return JSON.stringify({
    topic: 'publicTrade.BTCUSDT',
    type: 'snapshot',
    ts: 1779235200044,
    data: rows,
  })
}

function mapAll(text: string, market: Parameters<typeof mapBybitMessage>[1] = linear) {
  return rowsOf(mapBybitMessage(text, market, context))
}

function mapOne(fields: Readonly<Record<string, unknown>> = {}): MappedTrade {
  return rowOf(mapBybitMessage(push({ ...row, ...fields }), linear, context))
}

describe('a Bybit trade', () => {
  it('becomes a confirmed trade without a sequence', () => {
    expect(mapOne()).toEqual({
      kind: 'trade',
      sequence: null,
      trade: {
        venue: 'bybit-linear',
        feedId: 'bybit',
        instrument: 'BTCUSDT',
        tradeId: '5b2c41a7-6a55-5c0e-9d1b-0d8a51f2b7e4',
        version: 0,
        status: 'confirmed',
        sequence: null,
        venueOrder: null,
        price: { mantissa: 770125, exponent: -1 },
        quantity: { mantissa: 31, exponent: -3 },
        notionalUsd: null,
        takerSide: 'sell',
        eventTime: 1779235200040,
        receivedAt: context.receivedAt,
        ...noOptionalFacts,
        tickDirection: 2,
      },
    })
  })

  it('of the same symbol is one of another venue on each market', () => {
    const venues = [spot, linear, inverse].map((market) => {
      const [mapped] = mapAll(push(row), market)
      return mapped?.kind === 'trade' ? mapped.trade.venue : undefined
    })
    expect(venues).toEqual(['bybit-spot', 'bybit-linear', 'bybit-inverse'])
  })

  it('of an inverse contract is worth its quantity in dollars', () => {
    const [mapped] = mapAll(push({ ...row, s: 'BTCUSD', v: '1500' }), inverse)
    expect(mapped).toMatchObject({ trade: { notionalUsd: { mantissa: 15, exponent: 2 } } })
  })

  it('of a frame with 1024 rows, most of one sweep with one seq, stands beside the others', () => {
    const rows = Array.from({ length: 1024 }, (_, n) => ({ ...row, i: `fill-${n}` }))
    const mapped = mapAll(push(...rows))
    const ids = mapped.map((each) => (each.kind === 'trade' ? each.trade.tradeId : 'rejected'))
    expect(ids).toEqual(rows.map(({ i }) => i))
  })

  it('from the recent trades is the one from the stream, but for its tick', () => {
    const older = { ...row, i: 'older', L: undefined }
    const newer = { ...row, L: undefined }
    const list = [newer, older].map(({ S, T, i, p, s, v }) => ({
      execId: i,
      symbol: s,
      price: p,
      size: v,
      side: S,
      time: String(T),
      isBlockTrade: false,
      isRPITrade: false,
    }))
    const body = JSON.stringify({ retCode: 0, retMsg: 'OK', result: { category: 'linear', list } })
    expect(mapBybitRecent(body, linear, context)).toEqual(mapAll(push(older, newer)))
  })

  it.each([
    ['a price that is a number', { p: 77012.5 }],
    ['a price that is none', { p: 'Infinity' }],
    ['a negative price', { p: '-1' }],
    ['a quantity of zero', { v: '0' }],
    ['no quantity', { v: undefined }],
    ['no time', { T: undefined }],
    ['a time between two milliseconds', { T: 1.5 }],
  ])('with %s is invalid, keeps its bytes, and nothing is missing for it', (_what, fields) => {
    const broken = { ...row, ...fields }
    const [first, second] = mapAll(push(broken, row))
    expect(first).toMatchObject({
      kind: 'rejected',
      reason: 'invalid',
      original: JSON.stringify(broken),
      instrument: 'BTCUSDT',
      sequence: null,
    })
    expect(second?.kind).toBe('trade')
  })

  it.each([{ i: 7 }, { i: '' }, { i: undefined }])('with %j for an id may be missing', (fields) => {
    expect(mapOne(fields)).toMatchObject({
      kind: 'rejected',
      reason: 'invalid',
      instrument: 'BTCUSDT',
      sequence: undefined,
    })
  })

  it('is from the future only beyond the tolerance', () => {
    const limit = context.receivedAt + context.futureToleranceMs
    expect(mapOne({ T: limit }).kind).toBe('trade')
    expect(mapOne({ T: limit + 1 })).toMatchObject({ reason: 'future', sequence: null })
  })
})

describe('other Bybit messages', () => {
  it.each([
    [
      'an acknowledgement',
      '{"success":true,"ret_msg":"subscribe","conn_id":"c","req_id":"3","op":"subscribe"}',
      { type: 'answer', id: 3, success: true, message: 'subscribe' },
    ],
    [
      'a refusal',
      '{"success":false,"ret_msg":"error:handler not found,topic:publicTrade.NONE","conn_id":"c","req_id":"4","op":"subscribe"}',
      {
        type: 'answer',
        id: 4,
        success: false,
        message: 'error:handler not found,topic:publicTrade.NONE',
      },
    ],
    [
      'a complaint about no request',
      '{"success":false,"ret_msg":"Failed to decode incoming data","conn_id":"c","req_id":"","op":""}',
      { type: 'answer', id: undefined, success: false, message: 'Failed to decode incoming data' },
    ],
    [
      'the answer to a ping',
      '{"success":true,"ret_msg":"pong","conn_id":"c","req_id":"","op":"ping"}',
      { type: 'pong' },
    ],
    ['its other form', '{"op":"pong","args":["1779235200040"],"conn_id":"c"}', { type: 'pong' }],
    ['another topic', '{"topic":"tickers.BTCUSDT","data":{}}', { type: 'other' }],
  ])('%s is told apart', (_what, text, expected) => {
    expect(mapBybitMessage(text, linear, context)).toEqual(expected)
  })

  it.each([
    '{"topic":"publicTrade.BTCUSDT","data":[{"T":17',
    '',
    'pong',
    '[]',
    'null',
    '{}',
    '{"topic":"publicTrade.BTCUSDT"}',
  ])('%j is malformed', (text) => {
    expect(mapBybitMessage(text, linear, context).type).toBe('malformed')
  })

  it('no text at all makes the mapper throw', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        const frame = `{"topic":"publicTrade.BTCUSDT","data":[${text}]}`
        expect(mapBybitMessage(frame, linear, context).type).toMatch(/^(?:trades|malformed)$/)
        expect(mapBybitMessage(text, linear, context).type).toBe('malformed')
      }),
    )
  })

  it.each([
    ['{"retCode":10001,"retMsg":"Not supported symbols","result":{}}', 'Bybit answered 10001'],
    ['{"retCode":0,"retMsg":"OK"}', 'has no result'],
    ['[]', 'is no object'],
    ['<html>', 'JSON'],
  ])('the answer %j over REST is an error', (body, message) => {
    expect(() => bybitResult(body)).toThrow(message)
  })
})
