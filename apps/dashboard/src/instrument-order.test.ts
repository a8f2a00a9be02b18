import { expect, it } from 'vitest'

import type { InstrumentResource } from '@tickertape/client'

import { arrange } from './instrument-order.ts'

function instrumentOf(
  instrumentId: string,
  notionalUsd24h: string | null | undefined,
  change24h: number | null = null,
): InstrumentResource {
  const [venue = '', instrument = ''] = instrumentId.split(':')
  return {
    instrumentId,
    venue,
    instrument,
    feedId: venue,
    status: 'listed',
    base: 'BTC',
    quote: 'USD',
    kind: instrument.endsWith('-C') ? 'option' : 'spot',
    quantityUnit: 'base',
    summary:
      notionalUsd24h === undefined
        ? null
        : {
            lastPrice: '1',
            lastTradeTime: null,
            open24h: '1',
            high24h: '1',
            low24h: '1',
            change24h,
            volume24h: '1',
            notionalUsd24h,
            tradeCount24h: 1,
            quality: 'complete',
            sparkline: [],
          },
  }
}

const instruments = [
  instrumentOf('deribit:BTC-5JAN26-90000-C', undefined),
  instrumentOf('binance:BTCUSDT', '900', 0.01),
  instrumentOf('kraken:BTC/USD', null, -0.5),
  instrumentOf('deribit:BTC-PERPETUAL', '10000', 0.02),
]

const ids = (search: string, order: Parameters<typeof arrange>[2]): string[] =>
  arrange(instruments, search, order).map(({ instrumentId }) => instrumentId)

it('the greatest volume comes first, as a number, and what is not known last', () => {
  expect(ids('', 'notional')).toEqual([
    'deribit:BTC-PERPETUAL',
    'binance:BTCUSDT',
    'kraken:BTC/USD',
    'deribit:BTC-5JAN26-90000-C',
  ])
})

it('the greatest change comes first, in either direction', () => {
  expect(ids('', 'change').slice(0, 2)).toEqual(['kraken:BTC/USD', 'deribit:BTC-PERPETUAL'])
})

it('every word of a search is found, in any order and case', () => {
  expect(ids('option DERIBIT', 'name')).toEqual(['deribit:BTC-5JAN26-90000-C'])
  expect(ids('btc/usd kraken', 'name')).toEqual(['kraken:BTC/USD'])
  expect(ids('btc nothing', 'name')).toEqual([])
})
