import type { DeribitInterval } from './feed-deribit.ts'
import { binance } from './venue-binance.ts'
import { deribit } from './venue-deribit.ts'
import { okx } from './venue-okx.ts'
import type { Venue } from './venue.ts'

export interface VenueSettings {
  readonly deribitInterval: DeribitInterval
}

/** Every venue that ingest can read, by the value of INGEST_VENUE. */
export const venues = {
  deribit: ({ deribitInterval }: VenueSettings): Venue => deribit(deribitInterval),
  binance: (): Venue => binance,
  okx: (): Venue => okx,
} as const

export type VenueName = keyof typeof venues

// The keys of an object literal are its type's.
export const venueNames = Object.keys(venues) as VenueName[]
