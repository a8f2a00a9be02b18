import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { findInstrument } from '../market/market.ts'
import type { VenueContext } from '../venue.ts'

const maxLimit = 1000

const sequence = z.coerce.number().int().positive()

const eventsQuery = z.object({
  instrument: z.string(),
  from: sequence.optional(),
  to: sequence.optional(),
  limit: z.coerce.number().int().min(1).max(maxLimit).default(maxLimit),
})

/**
 * GET /{venue}/events?instrument&from&to&limit, oldest first; without `from` the newest ones. And
 * GET /{venue}/instruments.
 *
 * @param textOf an event as JSON text
 */
export function numberedEventsRoutes(
  app: FastifyInstance,
  path: string,
  context: VenueContext,
  textOf: (instrument: string, sequence: number) => string,
): void {
  app.get(`${path}/instruments`, () => ({
    instruments: context.market.instruments.map(({ base, name, quote }) => ({
      instrument: name,
      base,
      quote,
    })),
  }))

  app.get(`${path}/events`, (request, reply) => {
    reply.type('application/json')
    const query = eventsQuery.safeParse(request.query)
    if (!query.success) return reply.code(400).send({ error: z.prettifyError(query.error) })
    const { from, instrument, limit, to } = query.data
    if (findInstrument(context.market, instrument) === undefined) {
      return reply.code(404).send({ error: 'unknown_instrument' })
    }
    const page = context.market.history({
      instrument,
      fromSequence: from,
      toSequence: to,
      publishedBy: context.now(),
      limit,
      newestFirst: from === undefined,
    })
    const events = from === undefined ? page.trades.toReversed() : page.trades
    const texts = events.map((each) => textOf(instrument, each.sequence))
    return reply.send(`{"events":[${texts.join(',')}],"more":${page.hasMore}}`)
  })
}
