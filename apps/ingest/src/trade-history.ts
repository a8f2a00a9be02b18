import type { MappedTrade } from './mapped-trade.ts'

export interface HistoryPage {
  readonly trades: readonly MappedTrade[]
  /** Whether the venue has more trades after these. */
  readonly hasMore: boolean
  /** Sequence of the venue's last trade, where it was asked for behind the page. */
  readonly newest?: number
}

/** A venue's past trades, over REST. Every call may throw a RestError. */
export interface TradeHistory {
  /** Sequence of the first trade that an instrument ever has. */
  readonly firstSequence: number
  /** The last trade so far; undefined if there is none yet. */
  newest(instrument: string, signal: AbortSignal): Promise<MappedTrade | undefined>
  /**
   * Trades from a sequence on, ascending, as many as the venue gives at once.
   *
   * @param to last sequence that is wanted; more may come. Undefined: up to the present.
   */
  page(
    instrument: string,
    from: number,
    to: number | undefined,
    signal: AbortSignal,
  ): Promise<HistoryPage>
}

/** What a venue without sequences still tells of the past, over REST: the last trades, and no more. */
export interface RecentTrades {
  /**
   * The instrument's last trades, as many as the venue gives at once, the oldest first. May throw a
   * RestError.
   */
  recent(instrument: string, signal: AbortSignal): Promise<readonly MappedTrade[]>
}

export type VenueHistory = TradeHistory | RecentTrades

/** Whether the venue's trades have sequences, and its past can be asked for by them. */
export function hasSequences(history: VenueHistory): history is TradeHistory {
  return 'page' in history
}
