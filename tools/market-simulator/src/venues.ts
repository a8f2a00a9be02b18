import { binance, binanceCoinm, binanceUsdm } from './binance/binance-venue.ts'
import { bybitInverse, bybitLinear, bybitSpot } from './bybit/bybit-venue.ts'
import { coinbase, coinbaseAdvanced } from './coinbase/coinbase-venue.ts'
import { deribit } from './deribit/deribit-venue.ts'
import { kraken } from './kraken/kraken-venue.ts'
import type { Instrument } from './market/instrument.ts'
import type { Venue } from './market/venue-name.ts'
import { okx } from './okx/okx-venue.ts'
import { otc } from './otc/otc-venue.ts'
import { swaps } from './swaps/swaps-venue.ts'
import type { SimulatedVenue } from './venue.ts'

/** Every venue that the simulator can be. */
export const venues: Readonly<Record<Venue, SimulatedVenue>> = {
  deribit,
  binance,
  'binance-usdm': binanceUsdm,
  'binance-coinm': binanceCoinm,
  coinbase,
  'coinbase-advanced': coinbaseAdvanced,
  kraken,
  okx,
  'bybit-spot': bybitSpot,
  'bybit-linear': bybitLinear,
  'bybit-inverse': bybitInverse,
  otc,
  swaps,
}

/** The markets of a simulator that is not told otherwise: about 200 trades a second at Deribit and Binance. */
export const defaultInstruments: readonly Instrument[] = Object.values(venues).flatMap(
  ({ instruments }) => instruments,
)
