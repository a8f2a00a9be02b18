import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { CreditPool } from '../credit-pool.ts'
import { findInstrument } from '../market/market.ts'
import { fixedPoint } from '../market/number-text.ts'
import type { VenueContext } from '../venue.ts'
import { historyRow } from './coinbase-text.ts'

/** For an address: https://docs.cdp.coinbase.com/exchange, "REST Rate Limits". */
const requests = { capacity: 15, refillPerSecond: 10 }

const maxLimit = 1000

type Query = Readonly<Record<string, unknown>>

class CoinbaseError extends Error {
  override readonly name = 'CoinbaseError'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** Coinbase Exchange's public REST interface, behind a path. */
export function coinbaseRoutes(app: FastifyInstance, path: string, context: VenueContext): void {
  const pool = new CreditPool({ ...requests, realTime: context.realTime })
  const answer =
    (body: (request: FastifyRequest) => string) =>
    (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
      reply.type('application/json')
      try {
        if (context.limits && !pool.take(1)) {
          throw new CoinbaseError(429, 'Public rate limit exceeded')
        }
        return reply.send(body(request))
      } catch (error) {
        if (!(error instanceof CoinbaseError)) throw error
        return reply.code(error.status).send(JSON.stringify({ message: error.message }))
      }
    }
  app.get(
    `${path}/time`,
    answer(() => {
      const now = context.flush()
      return JSON.stringify({ iso: new Date(now).toISOString(), epoch: now / 1000 })
    }),
  )
  app.get(
    `${path}/products`,
    answer(() => JSON.stringify(productRows(context))),
  )
  app.get(
    `${path}/products/:product/trades`,
    answer(({ params, query }) => {
      // Fastify gives both as objects of texts.
      const { product } = params as { product: string }
      return history(product, query as Query, context)
    }),
  )
}

/** The newest first: below the cursor `after`, above `before`, of which neither is among them. */
function history(instrument: string, query: Query, context: VenueContext): string {
  if (findInstrument(context.market, instrument) === undefined) {
    throw new CoinbaseError(404, 'NotFound')
  }
  const after = integerOf(query, 'after')
  const before = integerOf(query, 'before')
  const { trades } = context.market.history({
    instrument,
    fromSequence: before === undefined ? undefined : before + 1,
    toSequence: after === undefined ? undefined : after - 1,
    publishedBy: context.now(),
    limit: Math.min(integerOf(query, 'limit') ?? maxLimit, maxLimit),
    newestFirst: true,
  })
  return `[${trades.map(historyRow).join(',')}]`
}

function integerOf(query: Query, name: string): number | undefined {
  const text = query[name]
  if (text === undefined) return undefined
  if (typeof text !== 'string' || !/^\d{1,15}$/.test(text)) {
    throw new CoinbaseError(400, `Invalid ${name}`)
  }
  return Number(text)
}

function productRows({ market }: VenueContext): readonly unknown[] {
  return market.instruments.map((each) => ({
    id: each.name,
    base_currency: each.base,
    quote_currency: each.quote,
    quote_increment: fixedPoint(each.tickUnits, each.priceDecimals),
    base_increment: fixedPoint(each.lotUnits, each.quantityDecimals),
    display_name: `${each.base}-${each.quote}`,
    status: 'online',
    trading_disabled: false,
  }))
}
