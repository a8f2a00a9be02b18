import { z } from 'zod'
import { type Venue, venueNames } from '../market/venue-name.ts'
import { type Fault, type FaultContext, UnfitFaultError } from './fault.ts'

const params = z.object({
  venue: z.enum(venueNames).optional(),
  instrument: z.string().optional(),
  count: z.int().positive(),
})

interface Hole {
  readonly venue: Venue
  readonly instrument: string
  readonly fromSequence: number
  readonly toSequence: number
}

/** Leaves the next `count` trades of one instrument, or of each, off the WebSocket. */
export function skipFault(context: FaultContext): Fault<z.infer<typeof params>> {
  const holes: Hole[] = []
  return {
    name: 'skip',
    params,
    arm({ count, instrument, venue }) {
      const now = context.flush()
      const markets = context.markets.filter(
        (market) => venue === undefined || market.venue === venue,
      )
      const made = markets.flatMap((market) =>
        market.instruments
          .filter(({ name }) => instrument === undefined || name === instrument)
          .map(({ name }) => {
            const fromSequence = market.nextSequence(name, now)
            const toSequence = fromSequence + count - 1
            return { venue: market.venue, instrument: name, fromSequence, toSequence }
          }),
      )
      if (made.length === 0) {
        throw new UnfitFaultError(`Cannot skip trades: there is no instrument "${instrument}"`)
      }
      holes.push(...made)
      return { skipped: made }
    },
    withholds: (venue, instrument, sequence) =>
      holes.some(
        (hole) =>
          sequence >= hole.fromSequence &&
          sequence <= hole.toSequence &&
          hole.instrument === instrument &&
          hole.venue === venue,
      ),
  }
}
