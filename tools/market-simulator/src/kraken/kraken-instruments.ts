import type { Instrument } from '../market/instrument.ts'

export const krakenInstruments: readonly Instrument[] = [
  {
    venue: 'kraken',
    name: 'BTC/USD',
    base: 'BTC',
    quote: 'USD',
    kind: 'spot',
    inverse: false,
    tickUnits: 1,
    priceDecimals: 1,
    lotUnits: 1,
    quantityDecimals: 8,
    basePrice: 92_005,
    tradesPerMinute: 900,
  },
  {
    venue: 'kraken',
    name: 'ETH/USD',
    base: 'ETH',
    quote: 'USD',
    kind: 'spot',
    inverse: false,
    tickUnits: 1,
    priceDecimals: 2,
    lotUnits: 1,
    quantityDecimals: 8,
    basePrice: 2950,
    tradesPerMinute: 600,
  },
  {
    venue: 'kraken',
    name: 'DOGE/USD',
    base: 'DOGE',
    quote: 'USD',
    kind: 'spot',
    inverse: false,
    tickUnits: 1,
    priceDecimals: 7,
    // Quantities of up to sixteen digits: a double rounds some of them.
    lotUnits: 123_456_789_012,
    quantityDecimals: 8,
    basePrice: 0.1532,
    tradesPerMinute: 60,
  },
]

/** Kraken's names of currencies before the WebSocket's second version. */
const legacyNames: Readonly<Record<string, string>> = { BTC: 'XBT', DOGE: 'XDG' }

export interface KrakenNames {
  /** The pair's key in results: `XXBTZUSD`. */
  readonly key: string
  /** What a request names it by: `XBTUSD`. */
  readonly altname: string
  /** On the WebSocket's first version: `XBT/USD`. */
  readonly wsname: string
}

export function krakenNames({ base, quote }: Instrument): KrakenNames {
  const legacy = legacyNames[base] ?? base
  return {
    key: quote === 'USD' ? `X${legacy}Z${quote}` : `${legacy}${quote}`,
    altname: `${legacy}${quote}`,
    wsname: `${legacy}/${quote}`,
  }
}
