import { expect, it } from 'vitest'

import { okxCatalog } from './catalog-okx.ts'
import { localVenue } from './testing/local-venue.ts'

/** What the venue lists, by the query that asks for it. */
const listed: Readonly<Record<string, readonly unknown[]>> = {
  'instruments?instType=SPOT': [
    { instType: 'SPOT', instId: 'BTC-USDT', baseCcy: 'BTC', quoteCcy: 'USDT', state: 'live' },
    { instType: 'SPOT', instId: 'NEW-USDT', baseCcy: 'NEW', quoteCcy: 'USDT', state: 'preopen' },
    { instType: 'SPOT', instId: 7 },
    null,
  ],
  'instruments?instType=SWAP': [
    { instType: 'SWAP', instId: 'BTC-USD-SWAP', instFamily: 'BTC-USD', state: 'live' },
  ],
  'instruments?instType=FUTURES': [
    { instType: 'FUTURES', instId: 'BTC-USDT-261225', instFamily: 'BTC-USDT', state: 'live' },
    { instType: 'FUTURES', instId: 'ODD-261225', instFamily: 'ODD', state: 'live' },
  ],
  'underlying?instType=OPTION': [['BTC-USD', 'ETH-USD']],
  'instruments?instType=OPTION&instFamily=BTC-USD': [
    { instType: 'OPTION', instId: 'BTC-USD-261225-90000-C', instFamily: 'BTC-USD', state: 'live' },
  ],
  'instruments?instType=OPTION&instFamily=ETH-USD': [
    {
      instType: 'OPTION',
      instId: 'ETH-USD-261225-4000-P',
      instFamily: 'ETH-USD',
      state: 'suspend',
    },
  ],
}

it('lists what trades at OKX now, of every kind', async () => {
  const venue = await localVenue({
    onGet: (address) => {
      const data = listed[address.replace('/api/v5/public/', '')]
      if (data === undefined) throw new Error(`The venue has no ${address}`)
      return JSON.stringify({ code: '0', msg: '', data })
    },
  })
  const facts = await okxCatalog(venue.options.rest, venue.options.signal)
  expect(
    facts.map(({ instrument, base, quote, kind, quantityUnit }) =>
      [instrument, base, quote, kind, quantityUnit].join(' '),
    ),
  ).toEqual([
    'BTC-USDT BTC USDT spot base',
    'BTC-USD-SWAP BTC USD perpetual contract',
    'BTC-USDT-261225 BTC USDT future contract',
    'BTC-USD-261225-90000-C BTC USD option contract',
  ])
})

it('is an error, and no empty list, where OKX does not answer', async () => {
  const venue = await localVenue({
    onGet: () => '{"code":"50001","msg":"Service temporarily unavailable.","data":[]}',
  })
  const catalog = okxCatalog(venue.options.rest, venue.options.signal)
  await expect(catalog).rejects.toMatchObject({ code: 'unavailable' })
})
