import { expect, it } from 'vitest'

import type { TradeResource } from '@tickertape/client'

import { mostTrades, withTrade } from './latest-trades.ts'

function tradeOf(tradeId: string, facts: Partial<TradeResource> = {}): TradeResource {
  return {
    instrumentId: 'binance:BTCUSDT',
    tradeId,
    version: 0,
    status: 'confirmed',
    sequence: null,
    price: '1',
    quantity: '1',
    notionalUsd: null,
    takerSide: 'buy',
    eventTime: 0,
    receivedAt: 0,
    impliedVolatility: null,
    liquidation: null,
    counterparty: null,
    book: null,
    maturesAt: null,
    expired: false,
    txHash: null,
    baseToken: null,
    quoteToken: null,
    ...facts,
  }
}

it('a cancel stands where its trade stood', () => {
  const trades = [tradeOf('2'), tradeOf('1')]
  const after = withTrade(trades, tradeOf('1', { version: 1, status: 'cancelled' }))
  expect(after.map(({ tradeId, status }) => `${tradeId} ${status}`)).toEqual([
    '2 confirmed',
    '1 cancelled',
  ])
})

it('the oldest trade makes room', () => {
  let trades: TradeResource[] = []
  for (let n = 0; n < mostTrades + 5; n += 1) trades = withTrade(trades, tradeOf(String(n)))
  expect(trades).toHaveLength(mostTrades)
  expect(trades[0]?.tradeId).toBe(String(mostTrades + 4))
})
