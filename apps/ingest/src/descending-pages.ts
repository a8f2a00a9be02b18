import type { MappedTrade } from './mapped-trade.ts'
import type { HistoryPage } from './trade-history.ts'

/** A venue that counts its pages down from a sequence, and gives the newest ones without it. */
export interface DescendingPages {
  /** Most trades in one answer. */
  readonly pageSize: number
  /** The trades right below a sequence, ascending; those above the venue's present do not come. */
  readonly below: (end: number, limit: number) => Promise<readonly MappedTrade[]>
  /** The last trade so far. */
  readonly newest: () => Promise<MappedTrade | undefined>
}

/** The page that ascends from a sequence. */
export async function ascendingPage(
  { below, newest, pageSize }: DescendingPages,
  from: number,
  to: number | undefined,
): Promise<HistoryPage> {
  const end = Math.min(from + pageSize, (to ?? Infinity) + 1)
  const rows = await below(end, end - from)
  // Behind the present the page reaches further down than what was asked for.
  const trades = rows.filter(({ sequence }) => (sequence ?? from) >= from)
  const last = trades.at(-1)?.sequence
  if (last === end - 1) return { trades, hasMore: true }
  // The page ends at the venue's present, or at ids that the venue passed over.
  const present = (await newest())?.sequence ?? 0
  return { trades, hasMore: present > Math.max(last ?? 0, from - 1), newest: present }
}
