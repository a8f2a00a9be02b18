import type { Instrument } from '../market/instrument.ts'

export const binanceInstruments: readonly Instrument[] = [
  {
    venue: 'binance',
    name: 'BTCUSDT',
    base: 'BTC',
    quote: 'USDT',
    kind: 'spot',
    inverse: false,
    tickUnits: 1,
    priceDecimals: 2,
    lotUnits: 1,
    quantityDecimals: 5,
    basePrice: 91_950,
    tradesPerMinute: 3600,
  },
  {
    venue: 'binance',
    name: 'ETHUSDT',
    base: 'ETH',
    quote: 'USDT',
    kind: 'spot',
    inverse: false,
    tickUnits: 1,
    priceDecimals: 2,
    lotUnits: 1,
    quantityDecimals: 4,
    basePrice: 2948,
    tradesPerMinute: 1200,
  },
]

const perpetual = { kind: 'perpetual', tickUnits: 1, lotUnits: 1 } as const

/** Quantities are in base. */
export const usdmInstruments: readonly Instrument[] = [
  {
    ...perpetual,
    venue: 'binance-usdm',
    name: 'BTCUSDT',
    base: 'BTC',
    quote: 'USDT',
    inverse: false,
    priceDecimals: 1,
    quantityDecimals: 3,
    basePrice: 91_900,
    tradesPerMinute: 3600,
  },
  {
    ...perpetual,
    venue: 'binance-usdm',
    name: 'ETHUSDT',
    base: 'ETH',
    quote: 'USDT',
    inverse: false,
    priceDecimals: 2,
    quantityDecimals: 3,
    basePrice: 2946,
    tradesPerMinute: 1200,
  },
]

/** Quantities count contracts, of 100 dollars for Bitcoin and of 10 for all others. */
export const coinmInstruments: readonly Instrument[] = [
  {
    ...perpetual,
    venue: 'binance-coinm',
    name: 'BTCUSD_PERP',
    base: 'BTC',
    quote: 'USD',
    inverse: true,
    priceDecimals: 1,
    quantityDecimals: 0,
    basePrice: 91_880,
    tradesPerMinute: 900,
  },
  {
    ...perpetual,
    venue: 'binance-coinm',
    name: 'ETHUSD_PERP',
    base: 'ETH',
    quote: 'USD',
    inverse: true,
    priceDecimals: 2,
    quantityDecimals: 0,
    basePrice: 2945,
    tradesPerMinute: 600,
  },
]

/**
 * An instrument that a recording names and the list above does not. Only what its name tells is right;
 * ticks and lots are placeholders, since a replay sends the recorded digits.
 */
export function binanceInstrument(name: string): Instrument {
  const known = binanceInstruments.find((each) => each.name === name)
  if (known !== undefined) return known
  const pair = /^(.+?)(USDT|USDC|FDUSD|TRY|EUR|BTC|ETH|BNB)$/.exec(name)
  const [, base = name, quote = ''] = pair ?? []
  return {
    venue: 'binance',
    name,
    base,
    quote,
    kind: 'spot',
    inverse: false,
    tickUnits: 1,
    priceDecimals: 2,
    lotUnits: 1,
    quantityDecimals: 2,
    basePrice: 1,
    tradesPerMinute: 0,
  }
}
