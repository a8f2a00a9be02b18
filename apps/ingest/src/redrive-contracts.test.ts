import { expect, it } from 'vitest'

import { readerOfContracts } from './redrive-contracts.ts'
import { localVenue } from './testing/local-venue.ts'

const context = { feedId: 'f', receivedAt: 1_779_235_200_120, futureToleranceMs: 5_000 }

const frame = JSON.stringify({
  arg: { channel: 'trades-all', instId: 'BTC-USDT-SWAP' },
  data: [
    {
      instId: 'BTC-USDT-SWAP',
      tradeId: '7',
      px: '77012.5',
      sz: '3',
      side: 'sell',
      source: '0',
      ts: '1779235200040',
    },
  ],
})

/** OKX's REST interface, with these rows in its list of perpetuals. */
async function okxWith(swaps: readonly unknown[]): Promise<string> {
  const venue = await localVenue({
    onGet: (address) => {
      const data = address.includes('SWAP') ? swaps : address.includes('underlying') ? [[]] : []
      return JSON.stringify({ code: '0', msg: '', data })
    },
  })
  return venue.options.url.replace('ws:', 'http:')
}

it("OKX's contracts are read by what its catalog says that they are worth", async () => {
  const url = await okxWith([
    {
      instType: 'SWAP',
      instId: 'BTC-USDT-SWAP',
      instFamily: 'BTC-USDT',
      ctVal: '0.01',
      ctMult: '1',
      ctValCcy: 'BTC',
      state: 'live',
    },
  ])
  const reader = await readerOfContracts('okx', url, new AbortController().signal)
  if (typeof reader !== 'object') throw new Error(String(reader))
  expect(reader.frame(frame, context)).toMatchObject([
    { trade: { quantity: { mantissa: 3, exponent: -2 } } },
  ])
})

it('without the catalog nothing is read, and of a venue without contracts nothing is asked', async () => {
  const { signal } = new AbortController()
  const venue = await localVenue({ onGet: () => 'none' })
  const url = venue.options.url.replace('ws:', 'http:')
  expect(await readerOfContracts('okx', url, signal)).toContain(
    'what the contracts of okx are worth is not to be had',
  )
  const asked = venue.asked.length
  expect(await readerOfContracts('kraken', url, signal)).toBeUndefined()
  expect(venue.asked.length).toBe(asked)
})
