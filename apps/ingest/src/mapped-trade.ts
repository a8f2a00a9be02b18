import type { Trade } from '@tickertape/market-model'

/** Why ingest does not pass a trade on; see design: `rejected`. */
export type RejectReason = 'malformed' | 'invalid' | 'future' | 'unknown_instrument'

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
  readonly reason: Exclude<RejectReason, 'unknown_instrument'>
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

export interface TimeProblem {
  readonly reason: 'future' | 'invalid'
  /** For a person. */
  readonly message: string
}

/** Before the first block of Bitcoin: a time in seconds, or of a clock that was never set. */
const earliestTime = Date.UTC(2009, 0, 3)

/**
 * Why a trade's time is not believed: one from the future would close windows that are still open, one
 * from before all venues opens windows that nothing closes.
 */
export function timeProblem(trade: Trade, toleranceMs: number): TimeProblem | undefined {
  const { eventTime, receivedAt, tradeId } = trade
  const aheadMs = eventTime - receivedAt
  if (aheadMs > toleranceMs) {
    const message = `trade ${tradeId} happened ${aheadMs} ms after it was received (tolerance ${toleranceMs} ms): check both clocks`
    return { reason: 'future', message }
  }
  if (eventTime >= earliestTime) return undefined
  const message = `trade ${tradeId} has a time before 2009, ${eventTime}, which is no time of a trade in milliseconds`
  return { reason: 'invalid', message }
}
