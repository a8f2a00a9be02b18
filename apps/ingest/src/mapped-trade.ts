import type { Trade } from '@tickertape/market-model'

/** Why ingest does not pass a trade on; see design: `rejected`. */
export type RejectReason = 'malformed' | 'invalid' | 'future'

/** One row of a venue's answer or frame; `sequence` is null where the venue has none. */
export type MappedTrade =
  | { readonly kind: 'trade'; readonly trade: Trade; readonly sequence: number | null }
  | RejectedTrade

/**
 * A row that is no trade for the log. Where it has a sequence, that sequence is covered by it. Without one
 * (undefined) something may be missing: on a venue without sequences it is null, if nothing is.
 */
export interface RejectedTrade {
  readonly kind: 'rejected'
  readonly reason: RejectReason
  /** For a person. */
  readonly message: string
  /** The row as the venue wrote it. */
  readonly original: string
  readonly instrument: string | undefined
  readonly sequence: number | null | undefined
}

/** What ingest adds to a venue's facts, and what it does not believe. */
export interface MappingContext {
  readonly feedId: string
  /** Our clock when the frame came in, milliseconds since the epoch. */
  readonly receivedAt: number
  /** A trade further ahead of receivedAt than this is rejected. */
  readonly futureToleranceMs: number
}

/** The rejection of a trade from the future, whose time would close windows that are still open. */
export function futureMessage(trade: Trade, toleranceMs: number): string | undefined {
  const aheadMs = trade.eventTime - trade.receivedAt
  if (aheadMs <= toleranceMs) return undefined
  return `trade ${trade.tradeId} happened ${aheadMs} ms after it was received (tolerance ${toleranceMs} ms): check both clocks`
}
