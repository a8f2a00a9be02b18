import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Instrument } from '../market/instrument.ts'
import { findInstrument, type SimulatedTrade } from '../market/market.ts'
import { fixedPoint } from '../market/number-text.ts'
import type { VenueContext } from '../venue.ts'
import {
  BinanceError,
  banned,
  illegalCharacters,
  invalidSymbol,
  keyMissing,
  missingParameter,
  overWeight,
} from './binance-errors.ts'
import type { BinanceMarket } from './binance-market.ts'
import { BinanceWeights, type WeightVerdict } from './binance-weights.ts'
import { binanceDecimal, historicalAggTrade, historicalTrade } from './binance-text.ts'

const defaultLimit = 500
const maxLimit = 1000

type Query = Readonly<Record<string, unknown>>

interface Endpoint {
  readonly weight: number
  readonly needsKey?: boolean
  readonly answer: (query: Query, context: VenueContext) => string
}

function endpointsOf(market: BinanceMarket): Readonly<Record<string, Endpoint>> {
  const { tradesNeedKey, weights } = market
  return {
    ping: { weight: 1, answer: () => '{}' },
    time: { weight: 1, answer: (_query, context) => `{"serverTime":${context.flush()}}` },
    historicalTrades: {
      weight: weights.trades,
      needsKey: tradesNeedKey,
      answer: (query, context) => tradesFrom(query, context, historicalTrade),
    },
    aggTrades: {
      weight: weights.aggTrades,
      answer: (query, context) => tradesFrom(query, context, historicalAggTrade),
    },
    exchangeInfo: {
      weight: weights.info,
      answer: (query, context) => exchangeInfo(query, context, market),
    },
  }
}

/** A market's REST interface, with its weight by the minute. */
export function binanceRoutes(
  app: FastifyInstance,
  market: BinanceMarket,
  context: VenueContext,
): void {
  const weights = new BinanceWeights(market.weightPerMinute, context.realTime)
  for (const [name, endpoint] of Object.entries(endpointsOf(market))) {
    app.get(`${market.prefix}${market.api}/${name}`, (request, reply) => {
      const verdict = weights.take(endpoint.weight)
      const { used } = verdict
      reply.header('x-mbx-used-weight', used).header('x-mbx-used-weight-1m', used)
      return answer({ endpoint, verdict, limit: market.weightPerMinute }, request, reply, context)
    })
  }
}

function answer(
  { endpoint, limit, verdict }: { endpoint: Endpoint; verdict: WeightVerdict; limit: number },
  request: FastifyRequest,
  reply: FastifyReply,
  context: VenueContext,
): FastifyReply {
  reply.type('application/json')
  try {
    if (context.limits && verdict.refusal !== undefined) {
      const { retryAfterSeconds, status } = verdict.refusal
      reply.header('retry-after', retryAfterSeconds)
      throw status === 429 ? overWeight(limit) : banned(context.now() + retryAfterSeconds * 1000)
    }
    if (endpoint.needsKey === true && request.headers['x-mbx-apikey'] === undefined) {
      throw keyMissing()
    }
    // Fastify gives the query as an object of texts.
    return reply.send(endpoint.answer(request.query as Query, context))
  } catch (error) {
    if (!(error instanceof BinanceError)) throw error
    return reply.code(error.status).send(JSON.stringify({ code: error.code, msg: error.message }))
  }
}

/** From `fromId` upwards; without it the newest trades. Oldest first either way. */
function tradesFrom(
  query: Query,
  context: VenueContext,
  row: (trade: SimulatedTrade) => string,
): string {
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
  return `[${trades.map(row).join(',')}]`
}

function integerOf(query: Query, name: string): number | undefined {
  const text = query[name]
  if (text === undefined) return undefined
  if (typeof text !== 'string' || !/^\d{1,20}$/.test(text)) throw illegalCharacters(name)
  return Number(text)
}

function exchangeInfo(query: Query, context: VenueContext, market: BinanceMarket): string {
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
        limit: market.weightPerMinute,
      },
    ],
    exchangeFilters: [],
    symbols: chosen.map((each) => symbolRow(each, market)),
  })
}

function symbolRow(instrument: Instrument, market: BinanceMarket): unknown {
  const tick = binanceDecimal(fixedPoint(instrument.tickUnits, instrument.priceDecimals))
  const lot = binanceDecimal(fixedPoint(instrument.lotUnits, instrument.quantityDecimals))
  return {
    symbol: instrument.name,
    ...(market.contractSize === undefined
      ? { status: 'TRADING' }
      : { contractStatus: 'TRADING', contractSize: market.contractSize(instrument.name) }),
    ...(instrument.kind !== 'spot' && {
      pair: instrument.name.split('_')[0],
      contractType: instrument.kind === 'perpetual' ? 'PERPETUAL' : 'CURRENT_QUARTER',
    }),
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
