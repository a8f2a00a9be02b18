import type { Instrument } from '../market/instrument.ts'

export type CoinbaseVenue = 'coinbase' | 'coinbase-advanced'

export function coinbaseInstruments(venue: CoinbaseVenue): readonly Instrument[] {
  return [
    {
      venue,
      name: 'BTC-USD',
      base: 'BTC',
      quote: 'USD',
      kind: 'spot',
      inverse: false,
      tickUnits: 1,
      priceDecimals: 2,
      lotUnits: 1,
      quantityDecimals: 8,
      basePrice: 92_010,
      tradesPerMinute: 1800,
    },
    {
      venue,
      name: 'ETH-USD',
      base: 'ETH',
      quote: 'USD',
      kind: 'spot',
      inverse: false,
      tickUnits: 1,
      priceDecimals: 2,
      lotUnits: 1,
      quantityDecimals: 8,
      basePrice: 2951,
      tradesPerMinute: 900,
    },
  ]
}
