import { expect, it } from 'vitest'

import { bybitMarkets } from './bybit-market.ts'
import { bybitCatalog } from './catalog-bybit.ts'
import { localVenue } from './testing/local-venue.ts'

function contract(symbol: string, contractType: string | undefined, status = 'Trading') {
  return { symbol, contractType, status, baseCoin: 'BTC', quoteCoin: symbol.slice(3, 7) }
}

async function catalogOf(
  market: keyof typeof bybitMarkets,
  pages: Readonly<Record<string, unknown>>,
): Promise<readonly string[]> {
  const venue = await localVenue({
    onGet: (address) => {
      const query = new URL(address, 'http://bybit').searchParams
      const result = pages[query.get('cursor') ?? ''] ?? {}
      return JSON.stringify({ retCode: 0, retMsg: 'OK', result })
    },
  })
  const { rest, signal } = venue.options
  const facts = await bybitCatalog(bybitMarkets[market], rest, signal)
  return facts.map(({ instrument, base, quote, kind, quantityUnit }) =>
    [instrument, base, quote, kind, quantityUnit].join(' '),
  )
}

it('lists what trades on a market, page by page', async () => {
  const catalog = await catalogOf('linear', {
    '': {
      list: [contract('BTCUSDT', 'LinearPerpetual'), contract('BTCUSDT-X', undefined, 'PreLaunch')],
      nextPageCursor: 'second&page',
    },
    'second&page': {
      list: [contract('BTCUSDT-25DEC26', 'LinearFutures'), { symbol: 7 }, null],
      nextPageCursor: 'third',
    },
    third: { list: [], nextPageCursor: 'third' },
  })
  expect(catalog).toEqual([
    'BTCUSDT BTC USDT perpetual base',
    'BTCUSDT-25DEC26 BTC USDT future base',
  ])
})

it('counts an inverse contract in dollars', async () => {
  const catalog = await catalogOf('inverse', {
    '': { list: [contract('BTCUSD', 'InversePerpetual'), contract('BTCUSDZ26', 'InverseFutures')] },
  })
  expect(catalog[0]).toBe('BTCUSD BTC USD perpetual quote')
  expect(catalog[1]).toMatch(/future quote$/)
})

it('knows the spot market by itself', async () => {
  expect(await catalogOf('spot', { '': { list: [contract('BTCUSDT', undefined)] } })).toEqual([
    'BTCUSDT BTC USDT spot base',
  ])
})
