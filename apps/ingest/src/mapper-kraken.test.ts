import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { formatDecimal, noOptionalFacts } from '@tickertape/market-model'

import { krakenPair, krakenSymbol } from './kraken-names.ts'
import type { MappedTrade } from './mapped-trade.ts'
import { krakenResult, mapKrakenHistory, mapKrakenMessage } from './mapper-kraken.ts'
import { decimalTexts, plainDigits } from './testing/decimal-texts.ts'
import { rowOf, rowsOf } from './testing/rows-of.ts'

const context = { feedId: 'kraken', receivedAt: 1_779_235_200_120, futureToleranceMs: 5_000 }

/** Numbers as their text: what stands in a frame may be more than a double holds. */
const row = {
  symbol: '"BTC/USD"',
  side: '"sell"',
  price: '77012.5',
  qty: '0.00310000',
  ord_type: '"market"',
  trade_id: '61044952',
  timestamp: '"2026-05-20T00:00:00.040518Z"',
}

function rowText(fields: Readonly<Record<string, string>> = {}): string {
  const members = Object.entries({ ...row, ...fields })
  return `{${members.map(([name, value]) => `"${name}":${value}`).join(',')}}`
}

function push(...rows: readonly string[]): string {
  return `{"channel":"trade","type":"update","data":[${rows.join(',')}]}`
}

function mapAll(text: string): readonly MappedTrade[] {
  return rowsOf(mapKrakenMessage(text, context))
}

function mapOne(fields: Readonly<Record<string, string>> = {}): MappedTrade {
  return rowOf(mapKrakenMessage(push(rowText(fields)), context))
}

describe('a Kraken trade', () => {
  it('becomes a confirmed trade whose sequence is its id', () => {
    expect(mapOne()).toEqual({
      kind: 'trade',
      sequence: 61044952,
      trade: {
        venue: 'kraken',
        feedId: 'kraken',
        instrument: 'BTC/USD',
        tradeId: '61044952',
        version: 0,
        status: 'confirmed',
        sequence: 61044952,
        venueOrder: null,
        price: { mantissa: 770125, exponent: -1 },
        quantity: { mantissa: 31, exponent: -4 },
        notionalUsd: { mantissa: 23873875, exponent: -5 },
        takerSide: 'sell',
        eventTime: Date.UTC(2026, 4, 20, 0, 0, 0, 40),
        receivedAt: context.receivedAt,
        ...noOptionalFacts,
      },
    })
  })

  it('keeps every digit of price and quantity, though they are numbers', () => {
    fc.assert(
      fc.property(decimalTexts, decimalTexts, (price, qty) => {
        const mapped = mapOne({ price, qty })
        if (mapped.kind !== 'trade') throw new Error(mapped.message)
        expect(formatDecimal(mapped.trade.price)).toBe(plainDigits(price))
        expect(formatDecimal(mapped.trade.quantity)).toBe(plainDigits(qty))
        expect(mapped.sequence).toBe(61044952)
      }),
    )
  })

  it('may be written with an exponent', () => {
    expect(mapOne({ price: '1.25e-7', qty: '4E3' })).toMatchObject({
      trade: {
        price: { mantissa: 125, exponent: -9 },
        quantity: { mantissa: 4, exponent: 3 },
      },
    })
  })

  it('of a pair that is not against the dollar has no worth in dollars', () => {
    expect(mapOne({ symbol: '"ETH/BTC"' })).toMatchObject({ trade: { notionalUsd: null } })
  })

  it.each([
    ['no price', { price: 'null' }],
    ['a price of zero', { price: '0.0' }],
    ['a negative price', { price: '-1' }],
    ['a price that is none', { price: '"NaN"' }],
    ['a quantity that is an object', { qty: '{}' }],
    ['no time', { timestamp: 'null' }],
    ['a time that is none', { timestamp: '"soon"' }],
  ])('with %s is invalid, keeps its bytes and covers its sequence', (_what, fields) => {
    const text = rowText(fields)
    const [first, second] = mapAll(push(text, rowText({ trade_id: '61044953' })))
    expect(first).toMatchObject({
      kind: 'rejected',
      reason: 'invalid',
      original: text,
      instrument: 'BTC/USD',
      sequence: 61044952,
    })
    expect(second?.kind).toBe('trade')
  })

  it.each(['9007199254740993', '1.5', '"one"', 'null'])(
    'with the id %s covers no sequence',
    (trade_id) => {
      expect(mapOne({ trade_id })).toMatchObject({ reason: 'invalid', sequence: undefined })
    },
  )

  it('is from the future only beyond the tolerance', () => {
    const at = (time: number): string => `"${new Date(time).toISOString()}"`
    const limit = context.receivedAt + context.futureToleranceMs
    expect(mapOne({ timestamp: at(limit) }).kind).toBe('trade')
    expect(mapOne({ timestamp: at(limit + 1) })).toMatchObject({ reason: 'future' })
  })
})

describe("Kraken's history", () => {
  const past = '["77012.50000","0.00310000",1779235200.0405181,"s","m","",61044952]'

  function answer(...rows: readonly string[]): string {
    return `{"error":[],"result":{"XXBTZUSD":[${rows.join(',')}],"last":"1779235200040518123"}}`
  }

  it('tells the same trade as the stream, and when it was to the nanosecond', () => {
    expect(mapKrakenHistory('BTC/USD', answer(past), context)).toEqual([
      { mapped: mapOne(), nanoseconds: 1_779_235_200_040_518_100n },
    ])
  })

  it.each([
    ['1779235200', 0],
    ['1779235200.5', 500],
    ['1779235200.828', 828],
    ['1779235200.8279999', 827],
  ])('puts the time %s into its millisecond', (seconds, ms) => {
    const [trade] = mapKrakenHistory(
      'BTC/USD',
      answer(past.replace('1779235200.0405181', seconds)),
      context,
    )
    expect(trade?.mapped).toMatchObject({ trade: { eventTime: 1_779_235_200_000 + ms } })
  })

  it('turns rows away one by one, each with its bytes', () => {
    const broken = '["NaN","0.1",1779235200.04,"b","l","",61044951]'
    const rows = mapKrakenHistory('BTC/USD', answer(broken, '7', past), context)
    expect(rows.map(({ mapped }) => mapped)).toMatchObject([
      { kind: 'rejected', original: broken, sequence: 61044951 },
      { kind: 'rejected', original: '7', sequence: undefined },
      { kind: 'trade' },
    ])
  })

  it.each([
    ['{"error":["EQuery:Unknown asset pair"]}', 'EQuery:Unknown asset pair'],
    ['{"error":[],"result":{"last":"1"}}', 'holds no trades'],
    ['{"error":[]}', 'is empty'],
    ['[]', 'is no object'],
    ['<html>', 'JSON'],
  ])('does not read %s', (body, message) => {
    expect(() => mapKrakenHistory('BTC/USD', body, context)).toThrow(message)
  })

  it('keeps each number as it was written', () => {
    expect(krakenResult('{"error":[],"result":{"a":1.10,"b":9007199254740993}}')).toEqual({
      a: '1.10',
      b: '9007199254740993',
    })
  })
})

describe('other messages of Kraken', () => {
  it.each([
    [
      'an acknowledgement',
      '{"method":"subscribe","result":{"channel":"trade","snapshot":true,"symbol":"BTC/USD"},"success":true,"time_in":"2026-05-20T00:00:00.1Z","time_out":"2026-05-20T00:00:00.2Z"}',
      { type: 'subscribed', instrument: 'BTC/USD' },
    ],
    [
      'a refused subscription',
      '{"error":"Currency pair not supported NO/SUCH","method":"subscribe","success":false,"symbol":"NO/SUCH"}',
      {
        type: 'refused',
        instrument: 'NO/SUCH',
        message: 'Currency pair not supported NO/SUCH',
      },
    ],
    [
      'the answer to a ping',
      '{"method":"pong","req_id":3,"time_in":"2026-05-20T00:00:01.799685Z","time_out":"2026-05-20T00:00:01.799703Z"}',
      { type: 'pong', id: 3, time: Date.UTC(2026, 4, 20, 0, 0, 1, 799) },
    ],
    [
      'an error',
      '{"error":"Unsupported method","req_id":4,"success":false}',
      { type: 'error', id: 4, message: 'Unsupported method' },
    ],
    [
      'a status',
      '{"channel":"status","type":"update","data":[{"api_version":"v2","connection_id":1,"system":"online","version":"2.0.0"}]}',
      { type: 'status', system: 'online' },
    ],
    ['a heartbeat', '{"channel":"heartbeat"}', { type: 'other' }],
    ['another channel', '{"channel":"ticker","type":"update","data":[]}', { type: 'other' }],
  ])('%s is told apart', (_what, text, expected) => {
    expect(mapKrakenMessage(text, context)).toEqual(expected)
  })

  it.each([
    '{"channel":"trade","data":[{"symbol":"BTC',
    '',
    '[]',
    '{}',
    '{"channel":"trade"}',
    '{"method":"subscribe","success":true}',
    '{"method":"pong"}',
  ])('%j is malformed', (text) => {
    expect(mapKrakenMessage(text, context).type).toBe('malformed')
  })

  it('no text at all makes the mapper throw', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(mapKrakenMessage(text, context).type).toMatch(/^(?:malformed|other)$/)
        expect(mapKrakenMessage(push(text), context).type).toMatch(/^(?:trades|malformed)$/)
        const status = `{"channel":"status","data":[${text}]}`
        expect(mapKrakenMessage(status, context).type).toMatch(/^(?:status|malformed)$/)
      }),
    )
  })
})

describe('names of pairs', () => {
  it.each([
    ['XBT/USD', 'BTC/USD', 'XBTUSD'],
    ['ETH/XBT', 'ETH/BTC', 'ETHXBT'],
    ['XDG/EUR', 'DOGE/EUR', 'XDGEUR'],
    ['SOL/USDT', 'SOL/USDT', 'SOLUSDT'],
  ])('%s is %s on the WebSocket and %s over REST', (wsname, symbol, pair) => {
    expect(krakenSymbol(wsname)).toBe(symbol)
    expect(krakenPair(symbol)).toBe(pair)
  })
})
