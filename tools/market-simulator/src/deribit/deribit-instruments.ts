import type { Instrument } from '../market/instrument.ts'

/** The currency that Deribit files an instrument under: what it is settled in. */
export function settlementCurrency(instrument: Instrument): string {
  return instrument.inverse ? instrument.base : instrument.quote
}

export const deribitInstruments: readonly Instrument[] = [
  {
    venue: 'deribit',
    name: 'BTC-PERPETUAL',
    base: 'BTC',
    quote: 'USD',
    kind: 'perpetual',
    inverse: true,
    tickUnits: 5,
    priceDecimals: 1,
    lotUnits: 10,
    quantityDecimals: 0,
    basePrice: 92_000,
    tradesPerMinute: 3600,
    tradeId: tradeIds('BTC', 0),
  },
  {
    venue: 'deribit',
    name: 'ETH-PERPETUAL',
    base: 'ETH',
    quote: 'USD',
    kind: 'perpetual',
    inverse: true,
    tickUnits: 5,
    priceDecimals: 2,
    lotUnits: 1,
    quantityDecimals: 0,
    basePrice: 2950,
    tradesPerMinute: 2400,
    tradeId: tradeIds('ETH', 1),
  },
  {
    venue: 'deribit',
    name: 'SOL_USDC-PERPETUAL',
    base: 'SOL',
    quote: 'USDC',
    kind: 'perpetual',
    inverse: false,
    tickUnits: 1,
    priceDecimals: 3,
    lotUnits: 1,
    quantityDecimals: 1,
    basePrice: 131,
    tradesPerMinute: 1200,
    tradeId: tradeIds('USDC', 2),
  },
  {
    venue: 'deribit',
    name: 'BTC-25JUN27',
    base: 'BTC',
    quote: 'USD',
    kind: 'future',
    inverse: true,
    tickUnits: 25,
    priceDecimals: 1,
    lotUnits: 10,
    quantityDecimals: 0,
    basePrice: 95_500,
    tradesPerMinute: 2,
    expiresAt: Date.UTC(2027, 5, 25, 8),
    tradeId: tradeIds('BTC', 3),
  },
]

/** Options and a spread; a simulator has them if it is told to. */
export const deribitOptionsAndSpreads: readonly Instrument[] = [
  ...['100000-C', '90000-P', '80000-P', '120000-C'].map((strike, place): Instrument => ({
    venue: 'deribit',
    name: `BTC-25JUN27-${strike}`,
    base: 'BTC',
    quote: 'BTC',
    kind: 'option',
    inverse: true,
    tickUnits: 5,
    priceDecimals: 4,
    lotUnits: 1,
    quantityDecimals: 1,
    basePrice: 0.08,
    tradesPerMinute: 30,
    expiresAt: Date.UTC(2027, 5, 25, 8),
    tradeId: tradeIds('BTC', 4 + place),
  })),
  {
    venue: 'deribit',
    name: 'BTC-FS-25JUN27_PERP',
    base: 'BTC',
    quote: 'USD',
    kind: 'future_combo',
    inverse: true,
    tickUnits: 25,
    priceDecimals: 1,
    lotUnits: 10,
    quantityDecimals: 0,
    basePrice: 3500,
    priceShift: 38_000,
    tradesPerMinute: 60,
    tradeId: tradeIds('BTC', 8),
  },
]

/**
 * An instrument that a recording names and the list above does not. Only what its name tells is right;
 * ticks and lots are placeholders, since a replay sends the recorded digits.
 */
export function deribitInstrument(name: string): Instrument {
  const known = deribitInstruments.find((each) => each.name === name)
  if (known !== undefined) return known
  const [underlying = name, term] = name.split('-')
  const [base = underlying, quote = 'USD'] = underlying.split('_')
  return {
    venue: 'deribit',
    name,
    base,
    quote,
    kind: term === 'PERPETUAL' ? 'perpetual' : 'future',
    inverse: !underlying.includes('_'),
    tickUnits: 1,
    priceDecimals: 2,
    lotUnits: 1,
    quantityDecimals: 2,
    basePrice: 1,
    tradesPerMinute: 0,
  }
}

/**
 * Deribit's trade ids are unique for a currency, with gaps within an instrument, and only Bitcoin's
 * are bare numbers.
 *
 * @param place tells apart the instruments of a currency; less than 16
 */
function tradeIds(currency: string, place: number): (sequence: number) => string {
  const prefix = currency === 'BTC' ? '' : `${currency}-`
  return (sequence) => `${prefix}${sequence * 16 + place}`
}
