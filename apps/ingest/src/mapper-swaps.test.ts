import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import {
  divideDecimals,
  formatDecimal,
  noOptionalFacts,
  parseDecimal,
} from '@tickertape/market-model'

import type { MappedTrade } from './mapped-trade.ts'
import { mapEventsMessage } from './mapper-numbered-events.ts'
import { swapEvents } from './mapper-swaps.ts'
import { rowOf } from './testing/rows-of.ts'

const timestamp = Date.UTC(2026, 4, 20, 9, 30)
const context = { feedId: 'swaps', receivedAt: timestamp + 50, futureToleranceMs: 5_000 }

const txHash = `0x${'4f'.repeat(32)}`

const row = {
  instrument: 'WETH-USDC',
  sequence: 12,
  txHash,
  status: 'pending',
  fromToken: 'WETH',
  fromAmount: '1.250000000000000001',
  toToken: 'USDC',
  toAmount: '3687.500000000000002950',
  usdValue: '3687.50',
  timestamp,
}

function mapOne(fields: Readonly<Record<string, unknown>> = {}): MappedTrade {
  const text = JSON.stringify({ events: [{ ...row, ...fields }] })
  return rowOf(mapEventsMessage(text, context, swapEvents))
}

function tradeOf(fields: Readonly<Record<string, unknown>> = {}) {
  const mapped = mapOne(fields)
  if (mapped.kind !== 'trade') throw new Error(mapped.message)
  return mapped.trade
}

describe('a swap', () => {
  it('out of the base token is a sale of it, to the last of 18 digits', () => {
    expect(tradeOf()).toEqual({
      venue: 'swaps',
      feedId: 'swaps',
      instrument: 'WETH-USDC',
      tradeId: txHash,
      version: 0,
      status: 'pending',
      sequence: null,
      venueOrder: 12,
      price: { mantissa: 295, exponent: 1 },
      quantity: { mantissa: 1250000000000000001n, exponent: -18 },
      notionalUsd: { mantissa: 36875, exponent: -1 },
      takerSide: 'sell',
      eventTime: timestamp,
      receivedAt: context.receivedAt,
      ...noOptionalFacts,
      txHash,
      baseToken: 'WETH',
      quoteToken: 'USDC',
    })
  })

  it('into the base token is a purchase at the same price', () => {
    const { fromAmount, toAmount } = row
    const bought = tradeOf({
      fromToken: 'USDC',
      fromAmount: toAmount,
      toToken: 'WETH',
      toAmount: fromAmount,
    })
    const { price, quantity } = tradeOf()
    expect(bought).toMatchObject({ takerSide: 'buy', price, quantity })
  })

  it.each([
    ['pending', 'pending', 0],
    ['confirmed', 'confirmed', 1],
    ['failed', 'cancelled', 1],
  ])('that is %s is %s in version %d', (told, status, version) => {
    expect(tradeOf({ status: told })).toMatchObject({ tradeId: txHash, status, version })
  })

  it('without a known value has none', () => {
    expect(tradeOf({ usdValue: null }).notionalUsd).toBeNull()
  })

  it.each([
    ['another token', { fromToken: 'WBTC' }, /not the two of WETH-USDC/],
    ['the same token on both sides', { toToken: 'WETH' }, /not the two of WETH-USDC/],
    ['an instrument that is no pair', { instrument: 'WETH' }, /no pair|not a pair/],
    ['no amount', { toAmount: '0' }, /toAmount is not/],
    ['19 digits', { fromAmount: '0.1000000000000000001' }, /at most 18 digits/],
    ['an amount that is a number', { fromAmount: 1.25 }, /fromAmount is not/],
    ['a hash that is none', { txHash: '0x12' }, /txHash is not/],
    ['a status that nobody knows', { status: 'dropped' }, /status is not/],
    ['a negative value', { usdValue: '-1' }, /usdValue is not/],
    ['a field that nobody knows', { gas: 1 }, /unknown fields: gas/],
  ])('with %s is turned away and covers its sequence', (_what, fields, message) => {
    const mapped = mapOne(fields)
    expect(mapped).toMatchObject({ kind: 'rejected', reason: 'invalid', sequence: 12 })
    expect(mapped.kind === 'rejected' && mapped.message).toMatch(message)
  })
})

const amount = fc
  .bigInt({ min: 1n, max: 10n ** 24n })
  .map((units) => formatDecimal(parseDecimal(`${units}e-18`) ?? { mantissa: 0, exponent: 0 }))

it('the price of any swap is what was paid for one base token, half to even at 18 digits', () => {
  fc.assert(
    fc.property(amount, amount, fc.boolean(), (base, quote, sells) => {
      const mapped = mapOne({
        fromToken: sells ? 'WETH' : 'USDC',
        fromAmount: sells ? base : quote,
        toToken: sells ? 'USDC' : 'WETH',
        toAmount: sells ? quote : base,
      })
      const [baseAmount, quoteAmount] = [parseDecimal(base), parseDecimal(quote)]
      if (baseAmount === undefined || quoteAmount === undefined) throw new Error('no amounts')
      const expected = divideDecimals(quoteAmount, baseAmount, 18)
      expect(mapped).toMatchObject(
        expected.mantissa === 0
          ? { kind: 'rejected' }
          : { trade: { price: expected, quantity: baseAmount } },
      )
    }),
  )
})
