import type { FastifyInstance } from 'fastify'
import { CreditPool } from '../credit-pool.ts'
import { findInstrument } from '../market/market.ts'
import type { VenueContext } from '../venue.ts'
import { instrumentRow, instType, tradeRow } from './okx-text.ts'

/** Where the simulated OKX has its REST interface. */
export const okxRestPath = '/okx'

const maxTrades = 100

type Query = Readonly<Record<string, unknown>>

interface Endpoint {
  /** OKX counts each endpoint by itself, by address and in stretches of 2 s. */
  readonly requestsIn2s: number
  /** @returns the rows of `data`, as text. */
  readonly rows: (query: Query, context: VenueContext) => readonly string[]
}

/** https://www.okx.com/docs-v5, "Public Data" and "Market Data". */
const endpoints: Readonly<Record<string, Endpoint>> = {
  '/api/v5/public/time': {
    requestsIn2s: 10,
    rows: (_query, context) => [`{"ts":"${context.flush()}"}`],
  },
  '/api/v5/market/history-trades': { requestsIn2s: 20, rows: historyTrades },
  '/api/v5/public/instruments': { requestsIn2s: 20, rows: instruments },
  '/api/v5/public/underlying': { requestsIn2s: 20, rows: () => ['[]'] },
}

/** OKX's answer to a bad request. */
class OkxError extends Error {
  override readonly name = 'OkxError'
  readonly code: string
  readonly status: number

  constructor(code: string, message: string, status: number) {
    super(message)
    this.code = code
    this.status = status
  }
}

export function okxRoutes(app: FastifyInstance, context: VenueContext): void {
  for (const [path, { requestsIn2s, rows }] of Object.entries(endpoints)) {
    const requests = new CreditPool({
      capacity: requestsIn2s,
      refillPerSecond: requestsIn2s / 2,
      realTime: context.realTime,
    })
    app.get(`${okxRestPath}${path}`, (request, reply) => {
      reply.type('application/json')
      try {
        if (context.limits && !requests.take(1)) {
          throw new OkxError('50011', 'Too Many Requests', 429)
        }
        // Fastify gives the query as an object of texts.
        const data = rows(request.query as Query, context)
        return reply.send(`{"code":"0","msg":"","data":[${data.join(',')}]}`)
      } catch (error) {
        if (!(error instanceof OkxError)) throw error
        const { code, message: msg, status } = error
        return reply.code(status).send(JSON.stringify({ code, msg, data: [] }))
      }
    })
  }
}

/** The newest first: below `after`, above `before`, of which neither is among them. */
function historyTrades(query: Query, context: VenueContext): readonly string[] {
  const instrument = query['instId']
  if (typeof instrument !== 'string' || instrument === '') {
    throw new OkxError('50014', 'Parameter instId can not be empty.', 400)
  }
  if (findInstrument(context.market, instrument) === undefined) {
    throw new OkxError(
      '51001',
      "Instrument ID, Instrument ID code, or Spread ID doesn't exist.",
      200,
    )
  }
  if ((query['type'] ?? '1') !== '1') {
    throw new OkxError('51000', 'Parameter type error', 400)
  }
  const after = integerOf(query, 'after')
  const before = integerOf(query, 'before')
  const { trades } = context.market.history({
    instrument,
    fromSequence: before === undefined ? undefined : before + 1,
    toSequence: after === undefined ? undefined : after - 1,
    publishedBy: context.now(),
    limit: Math.min(integerOf(query, 'limit') ?? maxTrades, maxTrades),
    newestFirst: true,
  })
  return trades.map(tradeRow)
}

function instruments(query: Query, context: VenueContext): readonly string[] {
  const wanted = query['instType']
  if (typeof wanted !== 'string' || wanted === '') {
    throw new OkxError('50014', 'Parameter instType can not be empty.', 400)
  }
  return context.market.instruments
    .filter((each) => instType(each) === wanted)
    .map((each) => JSON.stringify(instrumentRow(each)))
}

function integerOf(query: Query, name: string): number | undefined {
  const text = query[name]
  if (text === undefined) return undefined
  if (typeof text !== 'string' || !/^\d{1,15}$/.test(text)) {
    throw new OkxError('51000', `Parameter ${name} error`, 400)
  }
  return Number(text)
}
