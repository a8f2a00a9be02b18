import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { formatDecimal, noOptionalFacts } from '@tickertape/market-model'

import type { MappedTrade } from './mapped-trade.ts'
import { mapOkxHistory, mapOkxMessage, okxRows } from './mapper-okx.ts'
import type { OkxContract } from './mapper-okx.ts'
import { rowOf, rowsOf } from './testing/rows-of.ts'

const context = { feedId: 'okx', receivedAt: 1_779_235_200_120, futureToleranceMs: 5_000 }

const row = {
  instId: 'BTC-USDT',
  tradeId: '731904417',
  px: '77012.50',
  sz: '0.00310000',
  side: 'sell',
  source: '0',
  ts: '1779235200040',
}

function push(...rows: readonly unknown[]): string {
  return JSON.stringify({ arg: { channel: 'trades-all', instId: 'BTC-USDT' }, data: rows })
}

function mapAll(text: string): readonly MappedTrade[] {
  return rowsOf(mapOkxMessage(text, context))
}

function mapOne(fields: Readonly<Record<string, unknown>> = {}): MappedTrade {
  return rowOf(mapOkxMessage(push({ ...row, ...fields }), context))
}

describe('an OKX trade', () => {
  it('becomes a confirmed trade whose sequence is its id', () => {
    expect(mapOne()).toEqual({
      kind: 'trade',
      sequence: 731904417,
      trade: {
        venue: 'okx',
        feedId: 'okx',
        instrument: 'BTC-USDT',
        tradeId: '731904417',
        version: 0,
        status: 'confirmed',
        sequence: 731904417,
        venueOrder: null,
        price: { mantissa: 770125, exponent: -1 },
        quantity: { mantissa: 31, exponent: -4 },
        notionalUsd: null,
        takerSide: 'sell',
        eventTime: 1779235200040,
        receivedAt: context.receivedAt,
        ...noOptionalFacts,
      },
    })
  })

  it('keeps every digit of price and quantity', () => {
    const digits = fc
      .tuple(fc.bigInt({ min: 1n, max: 10n ** 24n }), fc.integer({ min: 0, max: 18 }))
      .map(([units, decimals]) => {
        const text = units.toString().padStart(decimals + 1, '0')
        const point = text.length - decimals
        return decimals === 0 ? text : `${text.slice(0, point)}.${text.slice(point)}`
      })
    fc.assert(
      fc.property(digits, digits, (px, sz) => {
        const mapped = mapOne({ px, sz })
        if (mapped.kind !== 'trade') throw new Error(mapped.message)
        expect(formatDecimal(mapped.trade.price)).toBe(plain(px))
        expect(formatDecimal(mapped.trade.quantity)).toBe(plain(sz))
      }),
    )
  })

  it('of a pair against the dollar has its worth in dollars', () => {
    expect(mapOne({ instId: 'BTC-USD', px: '10.5', sz: '3' })).toMatchObject({
      trade: { notionalUsd: { mantissa: 315, exponent: -1 } },
    })
  })

  it('of a pair against a coin has none', () => {
    expect(mapOne()).toMatchObject({ trade: { notionalUsd: null } })
  })

  it('of a side that is not known is told as such', () => {
    expect(mapOne({ side: 'both' })).toMatchObject({ trade: { takerSide: 'unknown' } })
  })

  it('from history is the one from the stream, and the oldest comes first', () => {
    const older = { ...row, tradeId: '731904416' }
    const body = JSON.stringify({ code: '0', msg: '', data: [row, older] })
    expect(mapOkxHistory(body, context)).toEqual(mapAll(push(older, row)))
  })

  it('of the channel that gathers them is an aggregate without a sequence', () => {
    const gathered = { ...row, count: '3', seqId: 9912345678 }
    const text = push(gathered).replace('trades-all', 'trades')
    expect(mapAll(text)).toMatchObject([
      { kind: 'trade', sequence: null, trade: { tradeId: 'a731904417', sequence: null } },
    ])
  })

  it('with an id that a double rounds is invalid, not another trade', () => {
    expect(mapOne({ tradeId: '9007199254740993' })).toMatchObject({
      kind: 'rejected',
      reason: 'invalid',
      sequence: undefined,
    })
  })

  it.each([
    ['a price that is a number', { px: 77012.5 }],
    ['a price that is none', { px: 'NaN' }],
    ['a negative price', { px: '-1' }],
    ['a quantity of zero', { sz: '0.0' }],
    ['no quantity', { sz: undefined }],
    ['no time', { ts: undefined }],
    ['a time that is none', { ts: 'soon' }],
  ])('with %s is invalid, keeps its bytes and covers its sequence', (_what, fields) => {
    const broken = { ...row, ...fields }
    const [first, second] = mapAll(push(broken, { ...row, tradeId: '731904418' }))
    expect(first).toMatchObject({
      kind: 'rejected',
      reason: 'invalid',
      original: JSON.stringify(broken),
      instrument: 'BTC-USDT',
      sequence: 731904417,
    })
    expect(second?.kind).toBe('trade')
  })

  it('is from the future only beyond the tolerance', () => {
    const limit = context.receivedAt + context.futureToleranceMs
    expect(mapOne({ ts: String(limit) }).kind).toBe('trade')
    expect(mapOne({ ts: String(limit + 1) })).toMatchObject({ reason: 'future' })
  })

  it('that is no object is turned away by itself', () => {
    expect(mapAll(push(7, row)).map(({ kind }) => kind)).toEqual(['rejected', 'trade'])
  })
})

describe('an OKX trade of contracts', () => {
  const contracts: Readonly<Record<string, OkxContract>> = {
    'BTC-USDT-SWAP': { size: { mantissa: 1, exponent: -2 }, unit: 'base' },
    'BTC-USD-SWAP': { size: { mantissa: 1, exponent: 2 }, unit: 'quote' },
    'BTC-USD-261225-90000-C': { size: { mantissa: 1, exponent: -2 }, unit: 'base' },
  }

  function mapContracts(instId: string, sz: string): MappedTrade {
    const text = push({ ...row, instId, sz })
    return rowOf(mapOkxMessage(text, context, (instrument) => contracts[instrument]))
  }

  it.each([
    ['BTC-USDT-SWAP', 'in base', '1.5', { mantissa: 15, exponent: -3 }, null],
    ['BTC-USD-SWAP', 'in dollars', '7', { mantissa: 7, exponent: 2 }, { mantissa: 7, exponent: 2 }],
    ['BTC-USD-261225-90000-C', 'in base', '300', { mantissa: 3, exponent: 0 }, null],
  ])('of %s has what they are worth, %s', (instId, _unit, sz, quantity, notionalUsd) => {
    expect(mapContracts(instId, sz)).toMatchObject({ trade: { quantity, notionalUsd } })
  })

  it('from history is the one from the stream', () => {
    const swap = { ...row, instId: 'BTC-USDT-SWAP', sz: '3' }
    const body = JSON.stringify({ code: '0', msg: '', data: [swap] })
    const contractOf = (instrument: string): OkxContract | undefined => contracts[instrument]
    expect(mapOkxHistory(body, context, contractOf)).toEqual(
      rowsOf(mapOkxMessage(push(swap), context, contractOf)),
    )
  })

  it('is turned away, and covers its sequence, where it is not known what they are worth', () => {
    expect(mapContracts('ETH-USDT-261225', '1')).toMatchObject({
      kind: 'rejected',
      reason: 'invalid',
      message: 'the size of a contract of ETH-USDT-261225 is not known',
      sequence: 731904417,
    })
  })
})

describe('other OKX messages', () => {
  it.each([
    [
      'an acknowledgement',
      '{"event":"subscribe","arg":{"channel":"trades-all","instId":"BTC-USDT"},"connId":"a1"}',
      { type: 'subscribed', instrument: 'BTC-USDT' },
    ],
    ['the answer to a ping', 'pong', { type: 'pong' }],
    [
      'a refused subscription',
      '{"event":"error","code":"60018","msg":"Wrong URL or channel:trades-all,instId:NO-SUCH doesn\'t exist.","connId":"a1"}',
      {
        type: 'error',
        code: '60018',
        message: "Wrong URL or channel:trades-all,instId:NO-SUCH doesn't exist.",
        instrument: 'NO-SUCH',
      },
    ],
    [
      'an error of something else',
      '{"event":"error","code":"60012","msg":"Invalid request: ping2"}',
      {
        type: 'error',
        code: '60012',
        message: 'Invalid request: ping2',
        instrument: undefined,
      },
    ],
    [
      'an announced end',
      '{"event":"notice","code":"64008","msg":"Closed soon for an upgrade.","connId":"a1"}',
      { type: 'notice', code: '64008', message: 'Closed soon for an upgrade.' },
    ],
    [
      'a count of connections',
      '{"event":"channel-conn-count","channel":"trades-all","connCount":"1","connId":"a1"}',
      { type: 'other' },
    ],
    [
      'another channel',
      '{"arg":{"channel":"tickers","instId":"BTC-USDT"},"data":[{"last":"1"}]}',
      { type: 'other' },
    ],
  ])('%s is told apart', (_what, text, expected) => {
    expect(mapOkxMessage(text, context)).toEqual(expected)
  })

  it.each([
    '{"arg":{"channel":"trades-all","instId":"BTC-US',
    '',
    'ping',
    '[]',
    'null',
    '{}',
    '{"arg":{"channel":"trades-all"}}',
    '{"event":"subscribe"}',
  ])('%j is malformed', (text) => {
    expect(mapOkxMessage(text, context).type).toBe('malformed')
  })

  it('no text at all makes the mapper throw', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(mapOkxMessage(text, context).type).toMatch(/^(?:pong|malformed|other)$/)
        const push = `{"arg":{"channel":"trades-all"},"data":[${text}]}`
        expect(mapOkxMessage(push, context).type).toMatch(/^(?:trades|malformed)$/)
      }),
    )
  })

  it.each([
    ['{"code":"51001","data":[],"msg":"Instrument ID does not exist"}', 'OKX answered 51001'],
    ['{"code":"0","msg":""}', 'has no data'],
    ['[]', 'is no object'],
    ['<html>', 'JSON'],
  ])('the answer %j over REST is an error', (body, message) => {
    expect(() => okxRows(body)).toThrow(message)
  })
})

/** As formatDecimal writes it. */
function plain(digits: string): string {
  return digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits
}
