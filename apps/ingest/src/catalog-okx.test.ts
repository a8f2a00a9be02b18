import { expect, it } from 'vitest'

import { okxCatalog } from './catalog-okx.ts'
import { OkxContracts } from './okx-contracts.ts'
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
    {
      instType: 'SWAP',
      instId: 'BTC-USD-SWAP',
      instFamily: 'BTC-USD',
      ctType: 'inverse',
      ctVal: '100',
      ctMult: '1',
      ctValCcy: 'USD',
      state: 'live',
    },
    // Worth so much of something that it is not traded for.
    {
      instType: 'SWAP',
      instId: 'ODD-USDT-SWAP',
      instFamily: 'ODD-USDT',
      ctVal: '1',
      ctValCcy: 'X',
      state: 'live',
    },
  ],
  'instruments?instType=FUTURES': [
    {
      instType: 'FUTURES',
      instId: 'BTC-USDT-261225',
      instFamily: 'BTC-USDT',
      ctType: 'linear',
      ctVal: '0.01',
      ctMult: '1',
      ctValCcy: 'BTC',
      state: 'live',
    },
    { instType: 'FUTURES', instId: 'ODD-261225', instFamily: 'ODD', state: 'live' },
  ],
  'underlying?instType=OPTION': [['BTC-USD', 'ETH-USD']],
  'instruments?instType=OPTION&instFamily=BTC-USD': [
    {
      instType: 'OPTION',
      instId: 'BTC-USD-261225-90000-C',
      instFamily: 'BTC-USD',
      ctType: '',
      ctVal: '1',
      ctMult: '0.01',
      ctValCcy: 'BTC',
      state: 'live',
    },
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
  const contracts = new OkxContracts()
  const facts = await okxCatalog(venue.options.rest, venue.options.signal, contracts)
  expect(
    facts.map(({ instrument, base, quote, kind, quantityUnit }) =>
      [instrument, base, quote, kind, quantityUnit].join(' '),
    ),
  ).toEqual([
    'BTC-USDT BTC USDT spot base',
    'BTC-USD-SWAP BTC USD perpetual quote',
    'BTC-USDT-261225 BTC USDT future base',
    'BTC-USD-261225-90000-C BTC USD option base',
  ])
  const cent = { mantissa: 1, exponent: -2 }
  expect(contracts.contractOf('BTC-USD-SWAP')).toMatchObject({ size: { mantissa: 1, exponent: 2 } })
  expect(contracts.contractOf('BTC-USDT-261225')).toEqual({ size: cent, unit: 'base' })
  expect(contracts.contractOf('BTC-USD-261225-90000-C')).toEqual({ size: cent, unit: 'base' })
  expect(contracts.contractOf('BTC-USDT')).toBeUndefined()
})

it('is an error, and no empty list, where OKX does not answer', async () => {
  const venue = await localVenue({
    onGet: () => '{"code":"50001","msg":"Service temporarily unavailable.","data":[]}',
  })
  const catalog = okxCatalog(venue.options.rest, venue.options.signal, new OkxContracts())
  await expect(catalog).rejects.toMatchObject({ code: 'unavailable' })
})

it('what contracts are worth is asked for once, list by list, and of pairs not at all', async () => {
  const venue = await localVenue({
    onGet: (address) =>
      JSON.stringify({ code: '0', msg: '', data: listed[address.replace('/api/v5/public/', '')] }),
  })
  const contracts = new OkxContracts()
  const { rest, signal } = venue.options
  const future = 'BTC-USDT-261225'
  await contracts.learn(['BTC-USDT', 'BTC-USD-SWAP', future], rest, signal)
  await contracts.learn(['BTC-USD-SWAP', future, 'BTC-USD-261225-90000-C'], rest, signal)
  expect(venue.asked.map((each) => each.replace('/api/v5/public/', ''))).toEqual([
    'instruments?instType=SWAP',
    'instruments?instType=FUTURES',
    'instruments?instType=OPTION&instFamily=BTC-USD',
  ])
  expect(contracts.contractOf(future)?.unit).toBe('base')
})
