import type { RequestBudgetOptions } from './request-budget.ts'

/**
 * What a connection is asked for: each trade, or the trades that one order made at one price, added up.
 * Both count their ids without holes, each by itself.
 */
export type BinanceStream = 'trade' | 'aggTrade'

/** What Binance's markets do differently: https://developers.binance.com. */
export interface BinanceMarket {
  /** The venue in an instrumentId. */
  readonly name: 'binance' | 'binance-usdm' | 'binance-coinm'
  /** What it is asked for unless it is told otherwise. */
  readonly stream: BinanceStream
  /** Of combined streams. */
  readonly webSocketUrl: Readonly<Record<BinanceStream, string>>
  readonly restUrl: string
  /** In front of every path of the REST interface. */
  readonly restPath: string
  /** Of a page of each stream's history, and of the other requests. */
  readonly weights: Readonly<Record<BinanceStream | 'time' | 'exchangeInfo', number>>
  readonly restBudget: RequestBudgetOptions
  /** Of the messages that a connection sends; pongs, which the venue counts too, need the rest. */
  readonly messageBudget: RequestBudgetOptions
  readonly instruments: readonly string[]
  /**
   * What quantities count: the base currency, or contracts of so many dollars. The second makes the
   * contract an inverse one.
   */
  readonly quantities: 'base' | 'contracts'
  /**
   * Whether the ids of single trades count those of the insurance fund and of deleveraging too, which
   * are no market trades and which the history leaves out.
   */
  readonly hasOffBookTrades: boolean
}

export const binanceSpot: BinanceMarket = {
  name: 'binance',
  stream: 'trade',
  webSocketUrl: {
    trade: 'wss://stream.binance.com:9443/stream',
    aggTrade: 'wss://stream.binance.com:9443/stream',
  },
  restUrl: 'https://api.binance.com',
  restPath: '/api/v3',
  weights: { trade: 25, aggTrade: 4, time: 1, exchangeInfo: 20 },
  // Half of the weight of an address, 6,000 a minute.
  restBudget: { capacity: 1_000, refillPerSecond: 50 },
  // 5 messages in any second.
  messageBudget: { capacity: 2, refillPerSecond: 2.5 },
  instruments: ['BTCUSDT', 'ETHUSDT'],
  quantities: 'base',
  hasOffBookTrades: false,
}

/** Half of the weight of an address, 2,400 a minute. */
const futuresRestBudget = { capacity: 400, refillPerSecond: 20 }

/** 10 messages in any second. */
const futuresMessageBudget = { capacity: 5, refillPerSecond: 5 }

const futuresWeights = { trade: 20, aggTrade: 20, time: 1, exchangeInfo: 1 }

/** Contracts settled in dollar coins. */
export const binanceUsdm: BinanceMarket = {
  name: 'binance-usdm',
  stream: 'aggTrade',
  // Since 2026 single trades come with the books, and what is made of them elsewhere.
  webSocketUrl: {
    trade: 'wss://fstream.binance.com/public/stream',
    aggTrade: 'wss://fstream.binance.com/market/stream',
  },
  restUrl: 'https://fapi.binance.com',
  restPath: '/fapi/v1',
  weights: futuresWeights,
  restBudget: futuresRestBudget,
  messageBudget: futuresMessageBudget,
  instruments: ['BTCUSDT', 'ETHUSDT'],
  quantities: 'base',
  hasOffBookTrades: true,
}

/** Contracts settled in the coin that they are on. */
export const binanceCoinm: BinanceMarket = {
  name: 'binance-coinm',
  stream: 'aggTrade',
  webSocketUrl: {
    trade: 'wss://dstream.binance.com/stream',
    aggTrade: 'wss://dstream.binance.com/stream',
  },
  restUrl: 'https://dapi.binance.com',
  restPath: '/dapi/v1',
  weights: futuresWeights,
  restBudget: futuresRestBudget,
  messageBudget: futuresMessageBudget,
  instruments: ['BTCUSD_PERP', 'ETHUSD_PERP'],
  quantities: 'contracts',
  hasOffBookTrades: true,
}
