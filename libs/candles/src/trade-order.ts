import type { TradeOrder } from '@tickertape/market-model'

/**
 * Whether a trade comes before another of its instrument: by eventTime, sequence (none first),
 * venueOrder (none first), then tradeId by its UTF-8 bytes. Open and close follow this order, so
 * the order of arrival never changes a candle.
 */
export function isBefore(a: TradeOrder, b: TradeOrder): boolean {
  if (a.eventTime !== b.eventTime) return a.eventTime < b.eventTime
  if (a.sequence !== b.sequence) return comesFirst(a.sequence, b.sequence)
  if (a.venueOrder !== b.venueOrder) return comesFirst(a.venueOrder, b.venueOrder)
  return compareUtf8(a.tradeId, b.tradeId) < 0
}

function comesFirst(a: number | null, b: number | null): boolean {
  return a === null || (b !== null && a < b)
}

/**
 * Negative, zero or positive, as the UTF-8 bytes compare (PostgreSQL's collation "C"). They compare
 * as code points do; UTF-16 units differ from that where a surrogate meets U+E000 to U+FFFF.
 */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at += 1) {
    const left = a.charCodeAt(at)
    const right = b.charCodeAt(at)
    if (left !== right) return codePointRank(left) - codePointRank(right)
  }
  return a.length - b.length
}

function codePointRank(unit: number): number {
  const isSurrogate = unit >= 0xd800 && unit <= 0xdfff
  return isSurrogate ? unit + 0x10000 : unit
}

/** A trade's place, without the trade. */
export function orderOf({ eventTime, sequence, venueOrder, tradeId }: TradeOrder): TradeOrder {
  return { eventTime, sequence, venueOrder, tradeId }
}
