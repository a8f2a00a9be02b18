import type { SimulatedTrade } from './market/market.ts'

/** `2026-05-20T00:00:00.040518Z` */
export function isoMicroseconds(milliseconds: number, microseconds = 0): string {
  const decimals = String(microseconds).padStart(3, '0')
  return new Date(milliseconds).toISOString().replace('Z', `${decimals}Z`)
}

/** Microseconds within the trade's millisecond: trades of one millisecond stand in their order. */
export function microsecondsOf(trade: SimulatedTrade): number {
  return trade.origin === 'seeded' ? Math.min(trade.place, 999) : 0
}

export function tradeTime(trade: SimulatedTrade): string {
  return isoMicroseconds(trade.eventTime, microsecondsOf(trade))
}
