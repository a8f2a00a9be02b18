import { expect, test } from 'vitest'
import { instrumentIdOf } from './instrument-id.ts'

test('an instrumentId is the venue and the name that the venue gives, unchanged', () => {
  expect(instrumentIdOf({ venue: 'deribit', instrument: 'BTC-PERPETUAL' })).toBe(
    'deribit:BTC-PERPETUAL',
  )
  expect(instrumentIdOf({ venue: 'kraken', instrument: 'BTC/USD' })).toBe('kraken:BTC/USD')
})

test('equal names on two venues are two instruments', () => {
  const instrument = 'BTCUSDT'
  expect(instrumentIdOf({ venue: 'binance', instrument })).not.toBe(
    instrumentIdOf({ venue: 'binance-usdm', instrument }),
  )
})
