import { expect, it } from 'vitest'

import { readDeribitCatalog } from './catalog-deribit.ts'
import { localVenue } from './testing/local-venue.ts'

const { signal } = new AbortController()

async function factsOf(...rows: readonly object[]) {
  const { options } = await localVenue({
    onGet: () => JSON.stringify({ jsonrpc: '2.0', result: rows }),
  })
  return await readDeribitCatalog(options.rest, signal)
}

const btc = { base_currency: 'BTC', quote_currency: 'USD', is_active: true }
const reversed = { ...btc, instrument_type: 'reversed' }
const linear = { ...btc, quote_currency: 'USDC', instrument_type: 'linear' }

it.each([
  [
    'an inverse perpetual',
    { ...reversed, kind: 'future', settlement_period: 'perpetual' },
    'perpetual',
    'quote',
  ],
  [
    'an inverse future',
    { ...reversed, kind: 'future', settlement_period: 'month' },
    'future',
    'quote',
  ],
  [
    'a linear perpetual',
    { ...linear, kind: 'future', settlement_period: 'perpetual' },
    'perpetual',
    'base',
  ],
  ['an option that is settled in coin', { ...reversed, kind: 'option' }, 'option', 'base'],
  ['a spot pair', { ...linear, kind: 'spot' }, 'spot', 'base'],
  // Its price is a difference, zero or below at times: nothing is divided by it.
  ['a spread of inverse futures', { ...reversed, kind: 'future_combo' }, 'combo', 'contract'],
  ['a combination of options', { ...reversed, kind: 'option_combo' }, 'combo', 'base'],
])('%s is known as such', async (_what, row, kind, quantityUnit) => {
  const [facts] = await factsOf({ ...row, instrument_name: 'X' })
  expect(facts).toMatchObject({ instrument: 'X', base: 'BTC', kind, quantityUnit })
})

it('what does not trade now, and kinds that nobody knows, are left out', async () => {
  const facts = await factsOf(
    { ...reversed, instrument_name: 'A', kind: 'future', is_active: false },
    { ...reversed, instrument_name: 'B', kind: 'lottery' },
    { kind: 'future', is_active: true },
  )
  expect(facts).toEqual([])
})
