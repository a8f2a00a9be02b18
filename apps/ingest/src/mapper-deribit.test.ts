import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { formatDecimal, parseDecimal } from '@tickertape/market-model'

import type { MappedTrade } from './mapped-trade.ts'
import { mapDeribitHistory, mapDeribitMessage } from './mapper-deribit.ts'
import { rowOf, rowsOf } from './testing/rows-of.ts'

const context = { feedId: 'deribit', receivedAt: 1_765_531_356_500, futureToleranceMs: 5_000 }

const row = {
  timestamp: '1765531356452',
  price: '92294.5',
  amount: '10.0',
  direction: '"sell"',
  index_price: '92276.75',
  instrument_name: '"BTC-PERPETUAL"',
  trade_seq: '271252854',
  mark_price: '92287.11',
  tick_direction: '2',
  contracts: '1.0',
  trade_id: '"403691824"',
}

/** Fields are JSON text, so that their digits can be chosen. */
function rowText(fields: Readonly<Record<string, string | undefined>> = {}): string {
  const pairs = Object.entries({ ...row, ...fields }).filter(([, value]) => value !== undefined)
  return `{${pairs.map(([name, value]) => `"${name}":${value}`).join(',')}}`
}

function notification(...rows: readonly string[]): string {
  return `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"trades.BTC-PERPETUAL.100ms","data":[${rows.join(',')}]}}`
}

function mapOne(fields: Readonly<Record<string, string | undefined>>): MappedTrade {
  return rowOf(mapDeribitMessage(notification(rowText(fields)), context))
}

function tradeOf(fields: Readonly<Record<string, string | undefined>>) {
  const mapped = mapOne(fields)
  if (mapped.kind !== 'trade') throw new Error(mapped.message)
  return mapped.trade
}

describe('a Deribit trade', () => {
  it('becomes a confirmed trade with all facts that Deribit gives', () => {
    expect(tradeOf({ liquidation: '"M"' })).toEqual({
      venue: 'deribit',
      feedId: 'deribit',
      instrument: 'BTC-PERPETUAL',
      tradeId: '403691824',
      version: 0,
      status: 'confirmed',
      sequence: 271252854,
      venueOrder: null,
      price: { mantissa: 922945, exponent: -1 },
      quantity: { mantissa: 1, exponent: 1 },
      notionalUsd: { mantissa: 1, exponent: 1 },
      takerSide: 'sell',
      eventTime: 1765531356452,
      receivedAt: context.receivedAt,
      indexPrice: { mantissa: 9227675, exponent: -2 },
      markPrice: { mantissa: 9228711, exponent: -2 },
      impliedVolatility: null,
      liquidation: 'M',
      tickDirection: 2,
      counterparty: null,
      book: null,
      maturesAt: null,
      txHash: null,
      baseToken: null,
      quoteToken: null,
    })
  })

  it('reads an amount with an exponent', () => {
    expect(formatDecimal(tradeOf({ amount: '1.0e3' }).quantity)).toBe('1000')
  })

  it('keeps digits that a double would round', () => {
    const trade = tradeOf({ price: '0.12345678901234567891', amount: '12345678901234567.5' })
    expect(formatDecimal(trade.price)).toBe('0.12345678901234567891')
    expect(formatDecimal(trade.quantity)).toBe('12345678901234567.5')
  })

  it('has the digits of any number that Deribit may write, with and without an exponent', () => {
    const digits = fc.stringMatching(/^[1-9][0-9]{0,24}$/)
    const fraction = fc.stringMatching(/^[0-9]{1,20}$/)
    const exponent = fc.option(fc.integer({ min: -8, max: 8 }), { nil: undefined })
    fc.assert(
      fc.property(digits, fraction, exponent, (whole, part, power) => {
        const text = `${whole}.${part}${power === undefined ? '' : `e${power}`}`
        const trade = tradeOf({ price: text, amount: text })
        expect([trade.price, trade.quantity]).toEqual([parseDecimal(text), parseDecimal(text)])
      }),
    )
  })

  it.each(['BTC-PERPETUAL', 'BTC-26MAR21-62000-C', 'BTC_USDC'])(
    'of %s has no price at or below zero',
    (name) => {
      for (const price of ['0.0', '-0.0005']) {
        expect(mapOne({ instrument_name: `"${name}"`, price })).toMatchObject({
          kind: 'rejected',
          reason: 'invalid',
          sequence: 271252854,
        })
      }
    },
  )

  it('is not disturbed by ids beyond 2^53 beside it', () => {
    const trade = tradeOf({
      starbase_match_id: '214121762240081921',
      starbase_timestamp: '1765531356452000123',
    })
    expect(trade.sequence).toBe(271252854)
  })

  it('keeps a trade id beyond 2^53 that is a number', () => {
    expect(tradeOf({ trade_id: '214121762240081921' }).tradeId).toBe('214121762240081921')
  })

  it.each([
    ['an inverse perpetual', 'BTC-PERPETUAL', '10'],
    ['an inverse future', 'BTC-26MAR21', '10'],
    ['a linear perpetual', 'SOL_USDC-PERPETUAL', '922945'],
    ['an option', 'BTC-26MAR21-62000-C', null],
    ['a combo', 'BTC-CS-19MAY26-70000_75000', null],
    ['a future spread', 'BTC-FS-26JUN26_PERP', null],
    ['a spot pair', 'BTC_USDC', null],
  ])('of %s has the notional that its contract gives', (_what, instrument, notional) => {
    const { notionalUsd } = tradeOf({ instrument_name: `"${instrument}"` })
    expect(notionalUsd && formatDecimal(notionalUsd)).toBe(notional)
  })

  it("of an option has the implied volatility, and the block and combo ids don't matter", () => {
    const trade = tradeOf({
      instrument_name: '"BTC-26MAR21-62000-C"',
      iv: '78.44',
      price: '0.007',
      block_trade_id: '"BLOCK-12"',
      combo_id: '"BTC-CS-19MAY26-70000_75000"',
      legs: `[${rowText({ trade_seq: '8' })}]`,
    })
    expect(trade.impliedVolatility).toEqual({ mantissa: 7844, exponent: -2 })
    expect(trade.sequence).toBe(271252854)
  })

  it('of a spread may have a negative price', () => {
    const trade = tradeOf({ instrument_name: '"BTC-FS-26JUN26_PERP"', price: '-12.5' })
    expect(formatDecimal(trade.price)).toBe('-12.5')
  })

  it.each([
    ['no amount', { amount: undefined }],
    ['an amount of zero', { amount: '0.0' }],
    ['a negative amount', { amount: '-1.0' }],
    ['no price', { price: 'null' }],
    ['a price beyond all doubles', { price: '1e999' }],
    ['no time', { timestamp: '"soon"' }],
    ['no id', { trade_id: undefined }],
  ])('with %s is invalid, keeps its bytes and covers its sequence', (_what, fields) => {
    expect(mapOne(fields)).toMatchObject({
      kind: 'rejected',
      reason: 'invalid',
      original: rowText(fields),
      instrument: 'BTC-PERPETUAL',
      sequence: 271252854,
    })
  })

  it('whose sequence is beyond 2^53 is invalid, not rounded', () => {
    expect(mapOne({ trade_seq: '9007199254740993' })).toMatchObject({
      reason: 'invalid',
      sequence: undefined,
    })
  })

  it('is from the future only beyond the tolerance', () => {
    const limit = context.receivedAt + context.futureToleranceMs
    expect(mapOne({ timestamp: String(limit) }).kind).toBe('trade')
    expect(mapOne({ timestamp: String(limit + 1) })).toMatchObject({
      reason: 'future',
      sequence: 271252854,
    })
  })

  it('is mapped beside an invalid one of the same frame', () => {
    const bad = rowText({ amount: '0', trade_seq: '2' })
    const frame = notification(rowText({ trade_seq: '1' }), bad, rowText({ trade_seq: '3' }))
    const mapped = rowsOf(mapDeribitMessage(frame, context))
    expect(mapped.map(({ kind, sequence }) => [kind, sequence])).toEqual([
      ['trade', 1],
      ['rejected', 2],
      ['trade', 3],
    ])
    expect(mapped[1]).toMatchObject({ original: bad })
  })
})

describe('other Deribit messages', () => {
  it.each([
    [
      'an answer',
      '{"jsonrpc":"2.0","id":1,"result":["trades.BTC-PERPETUAL.100ms"],"usIn":1,"testnet":false}',
      { type: 'answer', id: 1, result: ['trades.BTC-PERPETUAL.100ms'] },
    ],
    [
      'a heartbeat',
      '{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"heartbeat"}}',
      { type: 'other' },
    ],
    [
      'a test request',
      '{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}',
      { type: 'test_request' },
    ],
    [
      'an error',
      '{"jsonrpc":"2.0","id":1,"error":{"code":10028,"message":"too_many_requests","data":null}}',
      { type: 'error', id: 1, error: { code: 10028, message: 'too_many_requests' } },
    ],
    [
      'a notification of another channel',
      '{"method":"subscription","params":{"channel":"book.BTC-PERPETUAL.100ms","data":{}}}',
      { type: 'other' },
    ],
  ])('%s is told apart', (_what, text, expected) => {
    expect(mapDeribitMessage(text, context)).toEqual(expected)
  })

  it.each(['{"jsonrpc":"2.0","method":"subscr', '', '7', 'null', '[]', '{}', '{"id":1}'])(
    '%j is malformed',
    (text) => {
      expect(mapDeribitMessage(text, context).type).toBe('malformed')
    },
  )

  it('trades without data are malformed', () => {
    const text = '{"method":"subscription","params":{"channel":"trades.X.100ms","data":null}}'
    expect(mapDeribitMessage(text, context).type).toBe('malformed')
  })
})

describe("Deribit's history", () => {
  it('has the rows of the channel', () => {
    const body = `{"jsonrpc":"2.0","result":{"trades":[${rowText()}],"has_more":true},"usIn":1}`
    const page = mapDeribitHistory(body, context)
    expect(page.hasMore).toBe(true)
    expect(page.trades[0]).toEqual(mapOne({}))
  })

  it('of no trades is an empty page', () => {
    expect(mapDeribitHistory('{"result":{"trades":[],"has_more":false}}', context)).toEqual({
      trades: [],
      hasMore: false,
    })
  })

  it.each(['{"result":{}}', 'not JSON', '{"error":{"code":1}}'])('%j is an error', (body) => {
    expect(() => mapDeribitHistory(body, context)).toThrow(/holds no trades|not valid JSON/)
  })
})
