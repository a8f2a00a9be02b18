import type { Instrument } from '../market/instrument.ts'
import { findInstrument } from '../market/market.ts'
import type { Venue } from '../market/venue-name.ts'
import { type EventOf, VersionedMarket } from '../market/versioned-market.ts'
import { SeededFeed } from '../seeded-feed.ts'
import type { SimulatedVenue } from '../venue.ts'
import { openSession } from '../venue-session.ts'
import { numberedEventsRoutes } from './numbered-events-rest.ts'
import { NumberedEventsSession } from './numbered-events-session.ts'

export interface NumberedEventsVenueOptions {
  readonly name: Venue
  readonly instruments: readonly Instrument[]
  readonly eventOf: EventOf
}

/** A venue of the system's own: events at /{name}/ws, their history at /{name}/events. */
export function numberedEventsVenue({
  eventOf,
  instruments,
  name,
}: NumberedEventsVenueOptions): SimulatedVenue {
  const path = `/${name}`
  return {
    name,
    instruments,
    wsPath: `${path}/ws`,
    restPath: path,
    told: (market) => new VersionedMarket(market, eventOf),
    speakSeeded(market, start, context) {
      const textOf = (instrument: string, sequence: number): string =>
        eventOf(market, instrument, sequence).text
      const feed = new SeededFeed({
        market,
        sent: context.sent,
        withholds: context.withholds,
        start,
        channel: (instrument) =>
          findInstrument(market, instrument) && { instruments: [instrument], sliceMs: 1 },
        publish: (channel, trades) => {
          const texts = trades.map(({ instrument, sequence }) => textOf(instrument, sequence))
          context.channels.publish(channel, `{"events":[${texts.join(',')}]}`)
        },
      })
      return {
        feed,
        speaksAt: (asked) => asked === `${path}/ws`,
        mayConnect: () => true,
        accept(socket, transport) {
          const session = openSession(
            context,
            name,
            { socket, transport },
            (connection) => new NumberedEventsSession({ connection, context, feed }),
          )
          socket.on('pong', () => session.pong())
        },
        routes: (app) => numberedEventsRoutes(app, path, context, textOf),
      }
    },
  }
}
