import { expect, it } from 'vitest'

import { formatDecimal } from '@tickertape/market-model'

import { binanceCoinm, binanceSpot, binanceUsdm } from './binance-market.ts'
import type { BinanceMarket } from './binance-market.ts'
import { BinanceContracts, readBinanceCatalog } from './catalog-binance.ts'
import { localVenue } from './testing/local-venue.ts'

const { signal } = new AbortController()

function symbols(...rows: readonly object[]): string {
  return JSON.stringify({ timezone: 'UTC', symbols: rows })
}

async function restOf(market: BinanceMarket, body: string) {
  const { asked, options } = await localVenue({
    onGet: (address) => (address.startsWith(`${market.restPath}/exchangeInfo`) ? body : ''),
  })
  return { rest: options.rest, asked }
}

it('the spot market lists what trades now, in base', async () => {
  const { rest } = await restOf(
    binanceSpot,
    symbols(
      { symbol: 'BTCUSDT', status: 'TRADING', baseAsset: 'BTC', quoteAsset: 'USDT' },
      { symbol: 'OLDBTC', status: 'BREAK', baseAsset: 'OLD', quoteAsset: 'BTC' },
    ),
  )
  expect(await readBinanceCatalog(binanceSpot, rest, signal)).toEqual([
    { instrument: 'BTCUSDT', base: 'BTC', quote: 'USDT', kind: 'spot', quantityUnit: 'base' },
  ])
})

it('a contract that expires is a future, and one that does not a perpetual', async () => {
  const btc = { status: 'TRADING', baseAsset: 'BTC', quoteAsset: 'USDT' }
  const { rest } = await restOf(
    binanceUsdm,
    symbols(
      { ...btc, symbol: 'BTCUSDT', contractType: 'PERPETUAL' },
      { ...btc, symbol: 'BTCUSDT_261225', contractType: 'CURRENT_QUARTER' },
      { ...btc, symbol: 'BTCUSDT_270326', contractType: 'NEXT_QUARTER', status: 'SETTLING' },
    ),
  )
  const facts = await readBinanceCatalog(binanceUsdm, rest, signal)
  expect(
    facts.map(({ instrument, kind, quantityUnit }) => [instrument, kind, quantityUnit]),
  ).toEqual([
    ['BTCUSDT', 'perpetual', 'base'],
    ['BTCUSDT_261225', 'future', 'base'],
  ])
})

const coinRow = {
  symbol: 'BTCUSD_PERP',
  contractType: 'PERPETUAL',
  contractStatus: 'TRADING',
  contractSize: 100,
  baseAsset: 'BTC',
  quoteAsset: 'USD',
}

it('a coin-margined contract is inverse: its quantities are in dollars', async () => {
  const { rest } = await restOf(binanceCoinm, symbols(coinRow))
  expect(await readBinanceCatalog(binanceCoinm, rest, signal)).toEqual([
    {
      instrument: 'BTCUSD_PERP',
      base: 'BTC',
      quote: 'USD',
      kind: 'perpetual',
      quantityUnit: 'quote',
    },
  ])
})

it('the size of a contract is asked for once', async () => {
  const { rest, asked } = await restOf(binanceCoinm, symbols(coinRow))
  const contracts = new BinanceContracts(binanceCoinm)
  expect(contracts.sizeOf('BTCUSD_PERP')).toBeUndefined()
  await contracts.learn(['BTCUSD_PERP'], rest, signal)
  await contracts.learn(['BTCUSD_PERP'], rest, signal)
  const size = contracts.sizeOf('BTCUSD_PERP')
  expect(size && formatDecimal(size)).toBe('100')
  expect(asked).toHaveLength(1)
})

it.each(['not JSON', '{}', '{"symbols":{}}'])('%j is no list of instruments', async (body) => {
  const { rest } = await restOf(binanceSpot, body)
  await expect(readBinanceCatalog(binanceSpot, rest, signal)).rejects.toMatchObject({
    name: 'RestError',
    code: 'unavailable',
  })
})
