import { createHash } from 'node:crypto'
import type { Instrument, Venue } from '../market/instrument.ts'

/** One of Bybit's markets: addresses, instruments and limits of its own. */
export interface BybitMarket {
  readonly venue: Extract<Venue, `bybit-${string}`>
  readonly category: 'spot' | 'linear' | 'inverse'
  /** Trades that recent-trade tells at most, and unasked. */
  readonly recent: { readonly max: number; readonly unasked: number }
  readonly instruments: readonly Instrument[]
}

type Size = Pick<
  Instrument,
  'tickUnits' | 'priceDecimals' | 'lotUnits' | 'quantityDecimals' | 'basePrice' | 'tradesPerMinute'
>

const bitcoin: Size = {
  tickUnits: 1,
  priceDecimals: 2,
  lotUnits: 1,
  quantityDecimals: 6,
  basePrice: 91_970,
  tradesPerMinute: 2400,
}

const ether: Size = {
  tickUnits: 1,
  priceDecimals: 2,
  lotUnits: 1,
  quantityDecimals: 5,
  basePrice: 2950,
  tradesPerMinute: 1200,
}

/** Contracts of one dollar. */
const inverseSize = { lotUnits: 1, quantityDecimals: 0 } as const

export const bybitMarkets = {
  spot: {
    venue: 'bybit-spot',
    category: 'spot',
    recent: { max: 60, unasked: 60 },
    instruments: [
      instrument('bybit-spot', 'BTC', 'USDT', bitcoin),
      instrument('bybit-spot', 'ETH', 'USDT', ether),
    ],
  },
  linear: {
    venue: 'bybit-linear',
    category: 'linear',
    recent: { max: 1000, unasked: 500 },
    instruments: [
      instrument('bybit-linear', 'BTC', 'USDT', { ...bitcoin, priceDecimals: 1 }),
      instrument('bybit-linear', 'ETH', 'USDT', ether),
    ],
  },
  inverse: {
    venue: 'bybit-inverse',
    category: 'inverse',
    recent: { max: 1000, unasked: 500 },
    instruments: [
      instrument('bybit-inverse', 'BTC', 'USD', { ...bitcoin, ...inverseSize }),
      instrument('bybit-inverse', 'ETH', 'USD', { ...ether, ...inverseSize }),
    ],
  },
} as const satisfies Readonly<Record<string, BybitMarket>>

function instrument(
  venue: BybitMarket['venue'],
  base: string,
  quote: string,
  size: Size,
): Instrument {
  const name = base + quote
  return {
    ...size,
    venue,
    name,
    base,
    quote,
    kind: venue === 'bybit-spot' ? 'spot' : 'perpetual',
    inverse: venue === 'bybit-inverse',
    tradeId: (sequence) => tradeUuid(`${venue}:${name}:${sequence}`),
  }
}

/** An id from which nobody can tell which trade comes next. */
function tradeUuid(name: string): string {
  const hex = createHash('sha1').update(name).digest('hex')
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `5${hex.slice(13, 16)}`,
    `9${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-')
}
