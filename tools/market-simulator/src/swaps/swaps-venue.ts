import type { Instrument } from '../market/instrument.ts'
import { numberedEventsVenue } from '../numbered-events/numbered-events-venue.ts'
import { swapEvent } from './swap-events.ts'

const pair = {
  venue: 'swaps',
  kind: 'spot',
  inverse: false,
  tickUnits: 1,
  priceDecimals: 2,
  lotUnits: 1,
} as const

/** A thousand swaps a minute over all pairs; each is told twice. */
export const swapInstruments: readonly Instrument[] = [
  {
    ...pair,
    name: 'WETH-USDC',
    base: 'WETH',
    quote: 'USDC',
    quantityDecimals: 2,
    basePrice: 2950,
    tradesPerMinute: 2 * 500,
  },
  {
    ...pair,
    name: 'WBTC-USDC',
    base: 'WBTC',
    quote: 'USDC',
    quantityDecimals: 3,
    basePrice: 91_950,
    tradesPerMinute: 2 * 300,
  },
  {
    ...pair,
    name: 'WETH-LINK',
    base: 'WETH',
    quote: 'LINK',
    quantityDecimals: 2,
    basePrice: 214,
    tradesPerMinute: 2 * 200,
  },
]

/** The pairs with another number of swaps a minute over all of them. */
export function swapInstrumentsAt(swapsPerMinute: number): readonly Instrument[] {
  return swapInstruments.map((each) => ({
    ...each,
    tradesPerMinute: (each.tradesPerMinute * swapsPerMinute) / 1000,
  }))
}

/** Swaps of tokens on a chain: the system's own feed of trades that wait and may fail. */
export const swaps = numberedEventsVenue({
  name: 'swaps',
  instruments: swapInstruments,
  eventOf: swapEvent,
})
