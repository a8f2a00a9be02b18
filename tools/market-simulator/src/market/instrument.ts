export type Venue = 'deribit' | 'binance'

/** What the simulator knows of one market. Prices and quantities are counted in whole units. */
export interface Instrument {
  readonly venue: Venue
  /** The venue's own symbol. */
  readonly name: string
  readonly base: string
  readonly quote: string
  readonly kind: 'perpetual' | 'future' | 'spot'
  /** An inverse contract's quantity is an amount of the quote currency. */
  readonly inverse: boolean
  /** The tick is tickUnits * 10^-priceDecimals. */
  readonly tickUnits: number
  readonly priceDecimals: number
  /** The smallest quantity is lotUnits * 10^-quantityDecimals. */
  readonly lotUnits: number
  readonly quantityDecimals: number
  /** The price that the seeded market moves around. */
  readonly basePrice: number
  readonly tradesPerMinute: number
  /** Milliseconds since the epoch; absent where the contract never ends. */
  readonly expiresAt?: number
}

/** The currency that Deribit files an instrument under: what it is settled in. */
export function settlementCurrency(instrument: Instrument): string {
  return instrument.inverse ? instrument.base : instrument.quote
}

/** The markets of a simulator that is not told otherwise: about 200 trades a second in all. */
export const defaultInstruments: readonly Instrument[] = [
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
  },
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

/**
 * An instrument that a recording names and the defaults do not. Only what its name tells is right;
 * ticks and lots are placeholders, since a replay sends the recorded digits.
 */
export function instrumentFromName(venue: Venue, name: string): Instrument {
  const known = defaultInstruments.find((each) => each.venue === venue && each.name === name)
  if (known !== undefined) return known
  const placeholder = {
    venue,
    name,
    tickUnits: 1,
    priceDecimals: 2,
    lotUnits: 1,
    quantityDecimals: 2,
    basePrice: 1,
    tradesPerMinute: 0,
  }
  if (venue === 'binance') {
    const pair = /^(.+?)(USDT|USDC|FDUSD|TRY|EUR|BTC|ETH|BNB)$/.exec(name)
    const [, base = name, quote = ''] = pair ?? []
    return { ...placeholder, base, quote, kind: 'spot', inverse: false }
  }
  const [underlying = name, term] = name.split('-')
  const [base = underlying, quote = 'USD'] = underlying.split('_')
  const inverse = !underlying.includes('_')
  return {
    ...placeholder,
    base,
    quote,
    kind: term === 'PERPETUAL' ? 'perpetual' : 'future',
    inverse,
  }
}
