import type { InstrumentKind } from '@tickertape/market-model'

import { readNumberedEventsCatalog } from './catalog-numbered-events.ts'
import { connectNumberedEvents } from './feed-numbered-events.ts'
import { NumberedEventsHistory } from './history-numbered-events.ts'
import type { NumberedEvents } from './mapper-numbered-events.ts'
import { otcEvents } from './mapper-otc.ts'
import { swapEvents } from './mapper-swaps.ts'
import type { Venue } from './venue.ts'

interface NumberedEventsVenue {
  readonly name: string
  readonly instruments: readonly string[]
  readonly kind: InstrumentKind
  readonly events: NumberedEvents
}

/** The market simulator speaks for both, here on its own port. */
const host = '127.0.0.1:9100'

function numberedEventsVenue({ events, instruments, kind, name }: NumberedEventsVenue): Venue {
  return {
    name,
    webSocketUrl: `ws://${host}/${name}/ws`,
    restUrl: `http://${host}/${name}`,
    instruments,
    // The venue sends an event at once, and its time behind it over the same connection.
    heartbeatMarginMs: 100,
    restBudget: { capacity: 100, refillPerSecond: 100 },
    saysRateLimited: () => false,
    saysRefused: (body) => body.includes('"unknown_instrument"'),
    connect: (options) => connectNumberedEvents(options, events),
    history: (rest, mapping) => new NumberedEventsHistory(rest, mapping, events),
    catalog: (rest, signal) => readNumberedEventsCatalog(kind, rest, signal),
  }
}

/** Trades over the counter, with counterparty, book and maturity. */
export const otc = numberedEventsVenue({
  name: 'otc',
  instruments: ['EUR-USD', 'GBP-USD', 'XAU-USD'],
  // Each trade has a maturity of its own.
  kind: 'future',
  events: otcEvents,
})

/** Swaps of tokens on a chain. */
export const swaps = numberedEventsVenue({
  name: 'swaps',
  instruments: ['WETH-USDC', 'WBTC-USDC', 'WETH-LINK'],
  kind: 'spot',
  events: swapEvents,
})
