import type { MappedTrade } from './mapped-trade.ts'

export interface HistoryPage {
  readonly trades: readonly MappedTrade[]
  /** Whether the venue has more trades after these. */
  readonly hasMore: boolean
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
