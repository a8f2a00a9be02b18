/** Each market that the simulator speaks for, by the name that ingest gives it; see venues.ts. */
export const venueNames = [
  'deribit',
  'binance',
  'binance-usdm',
  'binance-coinm',
  'coinbase',
  'coinbase-advanced',
  'kraken',
  'okx',
  'bybit-spot',
  'bybit-linear',
  'bybit-inverse',
  'otc',
  'swaps',
] as const

export type Venue = (typeof venueNames)[number]
