/** One of Bybit's markets. The same symbol may trade on several, and is another instrument on each. */
export interface BybitMarket {
  /** The venue in an instrumentId. */
  readonly venue: 'bybit-spot' | 'bybit-linear' | 'bybit-inverse'
  /** As the venue's own addresses and parameters name it. */
  readonly category: 'spot' | 'linear' | 'inverse'
  /** Most trades that the venue tells of the past. */
  readonly recentTrades: number
  /** A few of the busiest. */
  readonly instruments: readonly string[]
}

/** https://bybit-exchange.github.io/docs/v5, "Get Recent Public Trades". */
export const bybitMarkets = {
  spot: {
    venue: 'bybit-spot',
    category: 'spot',
    recentTrades: 60,
    instruments: ['BTCUSDT', 'ETHUSDT'],
  },
  linear: {
    venue: 'bybit-linear',
    category: 'linear',
    recentTrades: 1000,
    instruments: ['BTCUSDT', 'ETHUSDT'],
  },
  inverse: {
    venue: 'bybit-inverse',
    category: 'inverse',
    recentTrades: 1000,
    instruments: ['BTCUSD', 'ETHUSD'],
  },
} as const satisfies Readonly<Record<string, BybitMarket>>
