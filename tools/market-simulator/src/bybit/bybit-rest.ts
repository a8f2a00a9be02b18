import type { FastifyInstance } from 'fastify'
import { CreditPool } from '../credit-pool.ts'
import { findInstrument } from '../market/market.ts'
import type { VenueContext } from '../venue.ts'
import type { BybitMarket } from './bybit-market.ts'
import { instrumentRow, recentRow } from './bybit-text.ts'

/** Of an address, over all endpoints. */
const requestsIn5s = 600

type Query = Readonly<Record<string, unknown>>

type Endpoint = (query: Query, context: VenueContext, market: BybitMarket) => string

/** https://bybit-exchange.github.io/docs/v5, "Market". @returns the `result`, as text. */
const endpoints: Readonly<Record<string, Endpoint>> = {
  '/v5/market/time': (_query, context) => {
    const now = context.flush()
    // Nanoseconds: a reader that takes them for a double's milliseconds is off.
    return `{"timeSecond":"${Math.floor(now / 1000)}","timeNano":"${now}000123"}`
  },
  '/v5/market/recent-trade': recentTrades,
  '/v5/market/instruments-info': instrumentsInfo,
}

/** Bybit's answer to a bad request. */
class BybitError extends Error {
  override readonly name = 'BybitError'
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

/** The REST interface of one of Bybit's markets, at a path of its own. */
export function bybitRoutes(
  app: FastifyInstance,
  path: string,
  market: BybitMarket,
  context: VenueContext,
): void {
  const requests = new CreditPool({
    capacity: requestsIn5s,
    refillPerSecond: requestsIn5s / 5,
    realTime: context.realTime,
  })
  for (const [name, endpoint] of Object.entries(endpoints)) {
    app.get(`${path}${name}`, (request, reply) => {
      if (context.limits && !requests.take(1)) {
        return reply.code(403).send('access too frequent')
      }
      reply.type('application/json')
      try {
        // Fastify gives the query as an object of texts.
        const result = endpoint(request.query as Query, context, market)
        return reply.send(
          `{"retCode":0,"retMsg":"OK","result":${result},"retExtInfo":{},"time":${context.now()}}`,
        )
      } catch (error) {
        if (!(error instanceof BybitError)) throw error
        const { code: retCode, message: retMsg } = error
        return reply.send(JSON.stringify({ retCode, retMsg, result: {}, time: context.now() }))
      }
    })
  }
}

/** The newest first, and none but the last ones. */
function recentTrades(query: Query, context: VenueContext, market: BybitMarket): string {
  const { category, recent } = market
  requireCategory(query, market)
  const symbol = query['symbol']
  if (typeof symbol !== 'string' || findInstrument(context.market, symbol) === undefined) {
    throw new BybitError(10001, 'Not supported symbols')
  }
  const { trades } = context.market.history({
    instrument: symbol,
    publishedBy: context.now(),
    limit: Math.min(limitOf(query) ?? recent.unasked, recent.max),
    newestFirst: true,
  })
  return `{"category":"${category}","list":[${trades.map(recentRow).join(',')}]}`
}

function instrumentsInfo(query: Query, context: VenueContext, market: BybitMarket): string {
  requireCategory(query, market)
  const list = context.market.instruments.map((each) => instrumentRow(each, market))
  return JSON.stringify({ category: market.category, list, nextPageCursor: '' })
}

function requireCategory(query: Query, { category }: BybitMarket): void {
  if (query['category'] !== category) throw new BybitError(10001, 'params error: category')
}

function limitOf(query: Query): number | undefined {
  const text = query['limit']
  if (text === undefined) return undefined
  if (typeof text !== 'string' || !/^[1-9]\d{0,3}$/.test(text)) {
    throw new BybitError(10001, 'params error: limit')
  }
  return Number(text)
}
