import type { SimulatedTrade } from './market/market.ts'
import type { VenueContext } from './venue.ts'

/** The trades that the venue published last, ascending. */
export function lastTrades(
  { market, now }: VenueContext,
  instrument: string,
  count: number,
): readonly SimulatedTrade[] {
  const { trades } = market.history({
    instrument,
    publishedBy: now(),
    limit: count,
    newestFirst: true,
  })
  return trades.toReversed()
}
