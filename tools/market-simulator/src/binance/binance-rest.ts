import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Instrument } from '../market/instrument.ts'
import { findInstrument } from '../market/market.ts'
import { fixedPoint } from '../market/number-text.ts'
import type { VenueContext } from '../venue.ts'
import {
  BinanceError,
  illegalCharacters,
  invalidSymbol,
  missingParameter,
  overWeight,
} from './binance-errors.ts'
import { binanceDecimal, historicalTrade } from './binance-text.ts'

const weightPerMinute = 6000

const defaultLimit = 500
const maxLimit = 1000

type Query = Readonly<Record<string, unknown>>

interface Endpoint {
  readonly weight: number
  readonly answer: (query: Query, context: VenueContext) => string
}

const endpoints: Readonly<Record<string, Endpoint>> = {
  '/api/v3/ping': { weight: 1, answer: () => '{}' },
  '/api/v3/time': { weight: 1, answer: (_query, context) => `{"serverTime":${context.flush()}}` },
  '/api/v3/historicalTrades': { weight: 25, answer: historicalTrades },
  '/api/v3/exchangeInfo': { weight: 20, answer: exchangeInfo },
}

/** Binance spot's REST interface, with its weight by the minute. */
export function binanceRoutes(app: FastifyInstance, context: VenueContext): void {
  const weight = weightCounter(context)
  for (const [path, endpoint] of Object.entries(endpoints)) {
    app.get(path, (request, reply) => {
      const used = weight(endpoint.weight)
      reply.header('x-mbx-used-weight', used).header('x-mbx-used-weight-1m', used)
      return answer(endpoint, used, request, reply, context)
    })
  }
}

function answer(
  endpoint: Endpoint,
  used: number,
  request: FastifyRequest,
  reply: FastifyReply,
  context: VenueContext,
): FastifyReply {
  reply.type('application/json')
  try {
    if (context.limits && used > weightPerMinute) throw overWeight()
    // Fastify gives the query as an object of texts.
    return reply.send(endpoint.answer(request.query as Query, context))
  } catch (error) {
    if (!(error instanceof BinanceError)) throw error
    if (error.status === 429) reply.header('retry-after', 60)
    return reply.code(error.status).send(JSON.stringify({ code: error.code, msg: error.message }))
  }
}

/** Adds up weight within each minute of real time. */
function weightCounter(context: VenueContext): (weight: number) => number {
  let minute = 0
  let used = 0
  return (weight) => {
    const now = Math.floor(context.realTime() / 60_000)
    if (now !== minute) used = 0
    minute = now
    used += weight
    return used
  }
}

/** From `fromId` upwards; without it the newest trades. Oldest first either way. */
function historicalTrades(query: Query, context: VenueContext): string {
  const symbol = query['symbol']
  if (typeof symbol !== 'string' || symbol === '') throw missingParameter('symbol')
  if (findInstrument(context.market, symbol) === undefined) throw invalidSymbol()
  const fromId = integerOf(query, 'fromId')
  const page = context.market.history({
    instrument: symbol,
    fromSequence: fromId,
    publishedBy: context.now(),
    limit: Math.min(integerOf(query, 'limit') ?? defaultLimit, maxLimit),
    newestFirst: fromId === undefined,
  })
  const trades = fromId === undefined ? page.trades.toReversed() : page.trades
  return `[${trades.map(historicalTrade).join(',')}]`
}

function integerOf(query: Query, name: string): number | undefined {
  const text = query[name]
  if (text === undefined) return undefined
  if (typeof text !== 'string' || !/^\d{1,20}$/.test(text)) throw illegalCharacters(name)
  return Number(text)
}

function exchangeInfo(query: Query, context: VenueContext): string {
  const symbol = query['symbol']
  const { instruments } = context.market
  const chosen = symbol === undefined ? instruments : instruments.filter((i) => i.name === symbol)
  if (chosen.length === 0 && symbol !== undefined) throw invalidSymbol()
  return JSON.stringify({
    timezone: 'UTC',
    serverTime: context.flush(),
    rateLimits: [
      {
        rateLimitType: 'REQUEST_WEIGHT',
        interval: 'MINUTE',
        intervalNum: 1,
        limit: weightPerMinute,
      },
    ],
    exchangeFilters: [],
    symbols: chosen.map(symbolRow),
  })
}

function symbolRow(instrument: Instrument): unknown {
  const tick = binanceDecimal(fixedPoint(instrument.tickUnits, instrument.priceDecimals))
  const lot = binanceDecimal(fixedPoint(instrument.lotUnits, instrument.quantityDecimals))
  return {
    symbol: instrument.name,
    status: 'TRADING',
    baseAsset: instrument.base,
    baseAssetPrecision: 8,
    quoteAsset: instrument.quote,
    quotePrecision: 8,
    quoteAssetPrecision: 8,
    isSpotTradingAllowed: true,
    isMarginTradingAllowed: false,
    filters: [
      { filterType: 'PRICE_FILTER', minPrice: tick, maxPrice: '1000000.00000000', tickSize: tick },
      { filterType: 'LOT_SIZE', minQty: lot, maxQty: '9000.00000000', stepSize: lot },
    ],
    permissions: ['SPOT'],
  }
}
