import type { Venue } from '../market/venue-name.ts'

/** What Binance's markets do differently: https://developers.binance.com. */
export interface BinanceMarket {
  readonly venue: Venue
  /** In front of every path, so that the markets share a port. */
  readonly prefix: string
  /** Combined streams; streams without a wrapper are beside them, at /ws. */
  readonly streamPaths: readonly string[]
  /** In front of every path of the REST interface, behind the prefix. */
  readonly api: string
  readonly weightPerMinute: number
  readonly weights: { readonly trades: number; readonly aggTrades: number; readonly info: number }
  /** Whether historicalTrades is for those with a key. */
  readonly tradesNeedKey: boolean
  readonly messagesPerSecond: number
  readonly pingSeconds: number
  readonly pongSeconds: number
  /** Dollars of a contract, where quantities count contracts; see binance-instruments.ts. */
  readonly contractSize?: (instrument: string) => number
}

export const spotMarket: BinanceMarket = {
  venue: 'binance',
  prefix: '',
  streamPaths: ['/stream'],
  api: '/api/v3',
  weightPerMinute: 6000,
  weights: { trades: 25, aggTrades: 4, info: 20 },
  tradesNeedKey: false,
  messagesPerSecond: 5,
  pingSeconds: 20,
  pongSeconds: 60,
}

const futures = {
  weightPerMinute: 2400,
  weights: { trades: 20, aggTrades: 20, info: 1 },
  tradesNeedKey: true,
  messagesPerSecond: 10,
  pingSeconds: 180,
  pongSeconds: 600,
} as const

export const usdmMarket: BinanceMarket = {
  ...futures,
  venue: 'binance-usdm',
  prefix: '/binance-usdm',
  // Aggregate trades and single ones have hosts' paths of their own.
  streamPaths: ['/market/stream', '/public/stream'],
  api: '/fapi/v1',
}

export const coinmMarket: BinanceMarket = {
  ...futures,
  venue: 'binance-coinm',
  prefix: '/binance-coinm',
  streamPaths: ['/stream'],
  api: '/dapi/v1',
  contractSize: (instrument) => (instrument.startsWith('BTCUSD_') ? 100 : 10),
}
