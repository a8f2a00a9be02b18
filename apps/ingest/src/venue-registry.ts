import { binanceCoinm, binanceSpot, binanceUsdm } from './binance-market.ts'
import { bybitMarkets } from './bybit-market.ts'
import { binance } from './venue-binance.ts'
import { bybit } from './venue-bybit.ts'
import { coinbase, coinbaseAdvanced } from './venue-coinbase.ts'
import { deribit } from './venue-deribit.ts'
import { kraken } from './venue-kraken.ts'
import { otc, swaps } from './venue-numbered-events.ts'
import { okx } from './venue-okx.ts'
import type { VenueSettings } from './venue-settings.ts'
import type { Venue } from './venue.ts'

/** Every venue that ingest can read, by the value of INGEST_VENUE. */
export const venues = {
  deribit: (settings: VenueSettings): Venue => deribit(settings.deribit),
  binance: (settings: VenueSettings): Venue => binance(binanceSpot, settings.binance),
  'binance-usdm': (settings: VenueSettings): Venue => binance(binanceUsdm, settings.binance),
  'binance-coinm': (settings: VenueSettings): Venue => binance(binanceCoinm, settings.binance),
  coinbase: (): Venue => coinbase,
  'coinbase-advanced': (): Venue => coinbaseAdvanced,
  kraken: (): Venue => kraken,
  okx: (settings: VenueSettings): Venue => okx(settings.okx),
  'bybit-spot': (): Venue => bybit(bybitMarkets.spot),
  'bybit-linear': (): Venue => bybit(bybitMarkets.linear),
  'bybit-inverse': (): Venue => bybit(bybitMarkets.inverse),
  otc: (): Venue => otc,
  swaps: (): Venue => swaps,
} as const

export type VenueName = keyof typeof venues

// The keys of an object literal are its type's.
export const venueNames = Object.keys(venues) as VenueName[]
