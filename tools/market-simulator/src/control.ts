import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Connections } from './connections.ts'
import { UnfitFaultError } from './faults/fault.ts'
import type { Faults } from './faults/index.ts'
import { findInstrument, type Market, type SimulatedTrade } from './market/market.ts'
import { type Venue, venueNames } from './market/venue-name.ts'
import type { SentTrades } from './sent-trades.ts'
import type { VenueClock } from './venue-clock.ts'

export interface ControlContext {
  readonly clock: VenueClock
  readonly connections: Connections
  readonly faults: Faults
  readonly markets: readonly Market[]
  readonly sent: ReadonlyMap<Venue, SentTrades>
  /** Venue time of the last trade; undefined where trading never ends. */
  readonly end: number | undefined
  /** Whether every trade there is has been published. */
  readonly finished: () => boolean
}

/** Bounds one answer of /control/truth. */
const maxTruth = 100_000

const truthQuery = z.object({
  venue: z.enum(venueNames).optional(),
  instrument: z.string(),
  from_seq: z.coerce.number().int().positive().optional(),
  to_seq: z.coerce.number().int().nonnegative().optional(),
  from_time: z.coerce.number().int().nonnegative().optional(),
  to_time: z.coerce.number().int().nonnegative().optional(),
  limit: z.coerce.number().int().min(1).max(maxTruth).default(maxTruth),
})

/** The simulator's own interface, for tests and people: JSON under /control. */
export function controlRoutes(app: FastifyInstance, context: ControlContext): void {
  app.get('/control/status', () => status(context))

  app.post('/control/start', () => {
    context.clock.release()
    return { clock: context.clock.now() }
  })

  app.get('/control/truth', (request, reply) => {
    const query = truthQuery.safeParse(request.query)
    if (!query.success) return reply.code(400).send({ error: z.prettifyError(query.error) })
    const { from_seq, from_time, instrument, limit, to_seq, to_time, venue } = query.data
    const market = context.markets.find(
      (each) =>
        (venue === undefined || each.venue === venue) &&
        findInstrument(each, instrument) !== undefined,
    )
    if (market === undefined) {
      return reply.code(404).send({ error: `The simulator has no instrument "${instrument}"` })
    }
    const page = market.history({
      instrument,
      fromSequence: from_seq,
      toSequence: to_seq,
      fromTime: from_time,
      toTime: to_time,
      publishedBy: Infinity,
      limit,
      newestFirst: false,
    })
    return { trades: page.trades.map(truthRow), hasMore: page.hasMore }
  })

  app.post<{ Params: { fault: string } }>('/control/:fault', (request, reply) => {
    try {
      return context.faults.arm(request.params.fault, request.body)
    } catch (error) {
      if (!(error instanceof UnfitFaultError)) throw error
      return reply.code(400).send({ error: error.message })
    }
  })
}

function truthRow(trade: SimulatedTrade): unknown {
  const { eventTime, instrument, price, quantity, sequence, takerSide, tradeId } = trade
  const { status = 'confirmed', version = 0 } = trade
  return { instrument, sequence, tradeId, version, status, eventTime, price, quantity, takerSide }
}

function status(context: ControlContext): unknown {
  const { clock, connections, end, markets, sent } = context
  return {
    clock: clock.now(),
    speed: clock.speed,
    held: clock.held,
    end: end ?? null,
    finished: context.finished(),
    connections: connections.all().map((connection) => ({
      id: connection.id,
      venue: connection.venue,
      subscriptions: [...connection.subscriptions],
      bufferedBytes: connection.bufferedBytes,
    })),
    instruments: markets.flatMap((market) =>
      market.instruments.map(({ name, venue }) => {
        const count = sent.get(venue)?.of(name)
        return {
          venue,
          instrument: name,
          sentTrades: count?.trades ?? 0,
          firstSequence: count?.firstSequence ?? null,
          lastSequence: count?.lastSequence ?? null,
        }
      }),
    ),
  }
}
