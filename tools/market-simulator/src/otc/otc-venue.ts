import type { Instrument } from '../market/instrument.ts'
import { numberedEventsVenue } from '../numbered-events/numbered-events-venue.ts'
import { otcEvent } from './otc-events.ts'

const forward = {
  venue: 'otc',
  quote: 'USD',
  kind: 'future',
  inverse: false,
  tickUnits: 1,
  tradesPerMinute: 120,
} as const

export const otcInstruments: readonly Instrument[] = [
  {
    ...forward,
    name: 'EUR-USD',
    base: 'EUR',
    priceDecimals: 5,
    lotUnits: 1000,
    quantityDecimals: 0,
    basePrice: 1.0835,
  },
  {
    ...forward,
    name: 'GBP-USD',
    base: 'GBP',
    priceDecimals: 5,
    lotUnits: 1000,
    quantityDecimals: 0,
    basePrice: 1.312,
  },
  {
    ...forward,
    name: 'XAU-USD',
    base: 'XAU',
    priceDecimals: 2,
    lotUnits: 5,
    quantityDecimals: 1,
    basePrice: 4080,
  },
]

/** Trades over the counter: the system's own feed of trades that are corrected and cancelled. */
export const otc = numberedEventsVenue({
  name: 'otc',
  instruments: otcInstruments,
  eventOf: otcEvent,
})
