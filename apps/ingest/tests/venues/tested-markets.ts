import { formatDecimal, multiplyDecimals, parseDecimal } from '@tickertape/market-model'
import { deribitOptionsAndSpreads } from '@tickertape/market-simulator'
import type { Instrument, RunningSimulator, Venue } from '@tickertape/market-simulator'

import type { PlainTrade } from '../log-facts.ts'

type Settings = Readonly<Record<string, string>>

/** What a venue answers over REST when it was asked too much. */
export interface LimitAnswer {
  readonly status: number
  readonly retryAfter?: string
  readonly body: string
}

/** A venue, or one of its channels, and what can be known of its trades from outside. */
export interface TestedMarket {
  readonly title: string
  readonly venue: Venue
  readonly instruments: readonly string[]
  readonly settings?: Settings | ((simulator: RunningSimulator) => Settings)
  /** On top of those that the simulator has by default. */
  readonly listed?: readonly Instrument[]
  /** How many seconds of the market pass in one, and how many of its trades there are. */
  readonly speed: number
  readonly rate?: number
  /** Real milliseconds of a second of the venue's keep-alive. */
  readonly protocolSecondMs?: number
  /** Whether the log has the venue's own order. */
  readonly sequenced: boolean
  /** How far its history reaches back: over all that a test makes it miss, or not; null: there is none. */
  readonly remembers: boolean | null
  /** A frame that nobody asked for: the venue complains, or announces that it ends the connection. */
  readonly frame: string
  readonly limit: LimitAnswer
  /** What the log makes of what the venue traded. */
  readonly mapped?: (trade: PlainTrade, instrument: string) => PlainTrade
}

const complaint = '{"error":"internal error"}'
const overNumberedEvents = { status: 429, retryAfter: '1', body: '{"error":"too_many_requests"}' }

const aggregate = (trade: PlainTrade): PlainTrade => ({ ...trade, tradeId: `a${trade.sequence}` })

const whole = { speed: 10, sequenced: true, remembers: true } as const

const deribit = {
  ...whole,
  venue: 'deribit',
  frame: '{"jsonrpc":"2.0","error":{"code":13888,"message":"timed_out"}}',
  limit: {
    status: 429,
    body: '{"jsonrpc":"2.0","error":{"code":10028,"message":"too_many_requests"}}',
  },
} as const

const binanceMarket = {
  ...whole,
  frame: '{"e":"serverShutdown","E":1770123456789}',
  limit: { status: 418, retryAfter: '1', body: '{"code":-1003,"msg":"Way too many requests."}' },
} as const

const coinbaseMarket = {
  ...whole,
  instruments: ['BTC-USD', 'ETH-USD'],
  protocolSecondMs: 250,
  frame: '{"type":"error","message":"internal error"}',
  limit: { status: 429, body: '{"message":"Public rate limit exceeded"}' },
} as const

const okx = {
  venue: 'okx',
  // 120 trades a second, of which OKX gives 100 with each of 8 requests.
  speed: 6,
  rate: 0.2,
  sequenced: true,
  frame: '{"event":"error","code":"64007","msg":"Operation failed.","connId":"x"}',
  limit: { status: 429, body: '{"code":"50011","msg":"Too Many Requests","data":[]}' },
} as const

const bybitMarket = {
  sequenced: false,
  frame: '{"success":false,"ret_msg":"error:internal","conn_id":"x","req_id":"","op":""}',
  limit: { status: 200, body: '{"retCode":10006,"retMsg":"Too many visits!","result":{}}' },
} as const

/** 1,000 trades, which is more than the market makes in two minutes however it bursts. */
const bybitContracts = { ...bybitMarket, speed: 2, rate: 0.2, remembers: true } as const

export const testedMarkets: readonly TestedMarket[] = [
  {
    ...deribit,
    title: 'deribit, 100ms',
    instruments: ['BTC-PERPETUAL', 'ETH-PERPETUAL', 'SOL_USDC-PERPETUAL'],
  },
  {
    ...deribit,
    title: 'deribit, raw, with options and a spread',
    instruments: ['BTC-PERPETUAL', ...deribitOptionsAndSpreads.map(({ name }) => name)],
    settings: {
      INGEST_DERIBIT_INTERVAL: 'raw',
      INGEST_DERIBIT_CLIENT_ID: 'simulator',
      INGEST_DERIBIT_CLIENT_SECRET: 'simulated-secret',
    },
    listed: deribitOptionsAndSpreads,
    frame: '{"jsonrpc":"2.0","error":{"code":11051,"message":"system_maintenance"}}',
  },
  {
    ...binanceMarket,
    title: 'binance',
    venue: 'binance',
    instruments: ['BTCUSDT', 'ETHUSDT'],
    frame: '{"error":{"code":0,"msg":"Unknown property"},"id":null}',
  },
  {
    ...binanceMarket,
    title: 'binance, aggregate trades',
    venue: 'binance',
    instruments: ['BTCUSDT', 'ETHUSDT'],
    settings: { INGEST_BINANCE_STREAM: 'aggTrade' },
    mapped: aggregate,
  },
  {
    ...binanceMarket,
    title: 'binance-usdm',
    venue: 'binance-usdm',
    instruments: ['BTCUSDT', 'ETHUSDT'],
    mapped: aggregate,
  },
  {
    ...binanceMarket,
    title: 'binance-usdm, single trades with a key',
    venue: 'binance-usdm',
    instruments: ['ETHUSDT'],
    settings: { INGEST_BINANCE_STREAM: 'trade', INGEST_BINANCE_API_KEY: 'a-key' },
    frame: '{"error":{"code":0,"msg":"Unknown property"},"id":null}',
  },
  {
    ...binanceMarket,
    title: 'binance-coinm',
    venue: 'binance-coinm',
    instruments: ['BTCUSD_PERP', 'ETHUSD_PERP'],
    // Contracts of 100 and of 10 dollars.
    mapped: (trade, instrument) => ({
      ...aggregate(trade),
      quantity: times(trade.quantity, instrument === 'BTCUSD_PERP' ? '100' : '10'),
    }),
  },
  { ...coinbaseMarket, title: 'coinbase', venue: 'coinbase' },
  { ...coinbaseMarket, title: 'coinbase-advanced', venue: 'coinbase-advanced' },
  {
    ...whole,
    title: 'kraken',
    venue: 'kraken',
    instruments: ['BTC/USD', 'ETH/USD', 'DOGE/USD'],
    frame: '{"error":"Internal error","success":false}',
    limit: { status: 200, body: '{"error":["EGeneral:Too many requests"]}' },
  },
  {
    ...okx,
    title: 'okx',
    instruments: ['BTC-USDT', 'ETH-USDT', 'BTC-USDT-SWAP'],
    remembers: true,
    mapped: (trade, instrument) => ({
      ...trade,
      // Contracts of 0.01 BTC.
      quantity: instrument.endsWith('-SWAP') ? times(trade.quantity, '0.01') : trade.quantity,
    }),
  },
  {
    ...okx,
    title: 'okx, aggregates',
    instruments: ['BTC-USDT'],
    settings: (simulator) => ({
      INGEST_OKX_CHANNEL: 'trades',
      INGEST_WS_URL: simulator.wsUrl('okx').replace('/business', '/public'),
    }),
    sequenced: false,
    remembers: null,
  },
  {
    ...bybitContracts,
    title: 'bybit-linear',
    venue: 'bybit-linear',
    instruments: ['BTCUSDT', 'ETHUSDT'],
  },
  {
    ...bybitContracts,
    title: 'bybit-inverse',
    venue: 'bybit-inverse',
    instruments: ['BTCUSD'],
  },
  // 60 trades: less than what passes while a process starts again.
  {
    ...bybitMarket,
    title: 'bybit-spot',
    venue: 'bybit-spot',
    instruments: ['BTCUSDT', 'ETHUSDT'],
    speed: 10,
    remembers: false,
  },
  {
    ...whole,
    title: 'otc',
    venue: 'otc',
    instruments: ['EUR-USD', 'XAU-USD'],
    frame: complaint,
    limit: overNumberedEvents,
  },
  {
    ...whole,
    title: 'swaps',
    venue: 'swaps',
    instruments: ['WETH-USDC', 'WBTC-USDC', 'WETH-LINK'],
    frame: complaint,
    limit: overNumberedEvents,
  },
]

function times(quantity: string, factor: string): string {
  const [one, other] = [parseDecimal(quantity), parseDecimal(factor)]
  if (one === undefined || other === undefined) throw new Error(`${quantity} * ${factor}`)
  return formatDecimal(multiplyDecimals(one, other))
}
