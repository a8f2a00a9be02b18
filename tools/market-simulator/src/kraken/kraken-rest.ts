import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { CreditPool } from '../credit-pool.ts'
import { lastTrades } from '../last-trades.ts'
import type { SimulatedTrade } from '../market/market.ts'
import type { VenueContext } from '../venue.ts'
import { krakenNames } from './kraken-instruments.ts'
import { historyRow, nanosecondsOf } from './kraken-text.ts'

/** Where the simulated Kraken has its REST interface. */
export const krakenRestPath = '/kraken'

/** For a pair and an address: https://docs.kraken.com/api, "API rate limits", public endpoints. */
const pairRequests = { capacity: 2, refillPerSecond: 1 }

const maxCount = 1000

type Query = Readonly<Record<string, unknown>>

/** Kraken tells failures in its answer, whose status is 200. */
class KrakenError extends Error {
  override readonly name = 'KrakenError'
}

const endpoints: Readonly<Record<string, (query: Query, context: VenueContext) => string>> = {
  Time: (_query, context) => {
    const now = context.flush()
    const rfc1123 = new Date(now).toUTCString()
    return JSON.stringify({ unixtime: Math.floor(now / 1000), rfc1123 })
  },
  AssetPairs: assetPairs,
  Trades: pastTrades,
}

export function krakenRoutes(app: FastifyInstance, context: VenueContext): void {
  const pools = new Map<unknown, CreditPool>()
  const mayAsk = (pair: unknown): boolean => {
    const { realTime } = context
    const pool = pools.get(pair) ?? new CreditPool({ ...pairRequests, realTime })
    pools.set(pair, pool)
    return pool.take(1)
  }
  for (const [name, result] of Object.entries(endpoints)) {
    const answer = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
      reply.type('application/json')
      try {
        // Fastify gives the query as an object of texts.
        const query = request.query as Query
        if (context.limits && query['pair'] !== undefined && !mayAsk(query['pair'])) {
          throw new KrakenError('EGeneral:Too many requests')
        }
        const body = result(query, context)
        return reply.send(`{"error":[],"result":${body}}`)
      } catch (error) {
        if (!(error instanceof KrakenError)) throw error
        return reply.send(JSON.stringify({ error: [error.message] }))
      }
    }
    app.get(`${krakenRestPath}/0/public/${name}`, answer)
  }
}

function assetPairs(_query: Query, { market }: VenueContext): string {
  const rows = market.instruments.map((instrument) => {
    const { altname, key, wsname } = krakenNames(instrument)
    return [
      key,
      { altname, wsname, base: instrument.base, quote: instrument.quote, status: 'online' },
    ]
  })
  return JSON.stringify(Object.fromEntries(rows))
}

/** Those after `since`; without it the last ones. */
function pastTrades(query: Query, context: VenueContext): string {
  const instrument = context.market.instruments.find((each) => {
    const { altname, key, wsname } = krakenNames(each)
    return [altname, key, wsname, each.name].includes(String(query['pair']))
  })
  if (instrument === undefined) throw new KrakenError('EQuery:Unknown asset pair')
  const count = Math.min(Number(integerOf(query, 'count') ?? maxCount), maxCount)
  const since = integerOf(query, 'since')
  const trades =
    since === undefined
      ? lastTrades(context, instrument.name, count)
      : tradesAfter(context, instrument.name, since, count)
  const last = trades.at(-1)
  const next = last === undefined ? (since ?? 0n) : nanosecondsOf(last)
  const rows = trades.map(historyRow).join(',')
  return `{"${krakenNames(instrument).key}":[${rows}],"last":"${next}"}`
}

function tradesAfter(
  context: VenueContext,
  instrument: string,
  since: bigint,
  count: number,
): readonly SimulatedTrade[] {
  const { trades } = context.market.history({
    instrument,
    fromTime: Number(since / 1_000_000n),
    publishedBy: context.now(),
    // Those of the same millisecond may be before it.
    limit: count + maxCount,
    newestFirst: false,
  })
  return trades.filter((trade) => nanosecondsOf(trade) > since).slice(0, count)
}

function integerOf(query: Query, name: string): bigint | undefined {
  const text = query[name]
  if (text === undefined) return undefined
  if (typeof text !== 'string' || !/^\d{1,20}$/.test(text)) {
    throw new KrakenError(`EGeneral:Invalid arguments:${name}`)
  }
  return BigInt(text)
}
