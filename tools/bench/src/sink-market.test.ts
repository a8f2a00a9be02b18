import { expect, it } from 'vitest'

import type { Trade } from '@tickertape/market-model'

import { candlesOf, doubledMarketEvents } from './sink-market.ts'

it('in a doubled log every trade comes twice: later the second time, among others, received later', () => {
  const plan = { instruments: 5, tradesPerWindow: 40, seconds: 3 }
  const trades: Trade[] = []
  for (const { type, value } of doubledMarketEvents(plan)) if (type === 'Trade') trades.push(value)
  const places = new Map<string, number[]>()
  for (const [place, { tradeId }] of trades.entries()) {
    places.set(tradeId, [...(places.get(tradeId) ?? []), place])
  }
  expect(places.size).toBe(600)
  for (const [first = 0, second = 0, ...others] of places.values()) {
    expect(others).toEqual([])
    expect(second - first).toBeGreaterThanOrEqual(200)
    const [one, other] = [trades[first], trades[second]]
    expect(other?.receivedAt).toBeGreaterThan(one?.receivedAt ?? Infinity)
    expect({ ...other, receivedAt: one?.receivedAt }).toEqual(one)
  }
})

it('another revision has the same windows and other values', () => {
  const plan = { instruments: 3, windows: 4 }
  const [first, revised] = [[...candlesOf(plan, 0)], [...candlesOf(plan, 1)]]
  const keys = first.map(({ instrumentId, windowStart }) => `${instrumentId} ${windowStart}`)
  expect(new Set(keys).size).toBe(12)
  expect(revised.map(({ instrumentId, windowStart }) => `${instrumentId} ${windowStart}`)).toEqual(
    keys,
  )
  for (const [index, candle] of revised.entries()) {
    expect(candle.revision).toBe(1)
    expect(candle.volume).not.toEqual(first[index]?.volume)
  }
})
