import type { Trade } from '@tickertape/market-model'

import type { MappedTrade, MappingContext } from './mapped-trade.ts'
import type { RejectReader } from './reject-readers.ts'

/**
 * Reads what a venue had sent and ingest had turned away, by the mapper as it is now.
 *
 * @param instrument the venue's own symbol; undefined if the reject does not tell.
 * @returns all trades in it, or why not all of it is trades: then none of it is put back.
 */
export function rereadReject(
  reader: RejectReader,
  original: string,
  instrument: string | undefined,
  context: MappingContext,
): readonly Trade[] | string {
  // Of the first reading that finds rows: later ones take it for something else.
  let why: string | undefined
  for (const read of [
    () => reader.frame(original, context),
    ...reader.rows.map((row) => () => row(original, instrument ?? '', context)),
  ]) {
    const mapped = attempt(read)
    if (mapped.length === 0) continue
    const trades = mapped.flatMap((each) => (each.kind === 'trade' ? [each.trade] : []))
    if (trades.length === mapped.length) return trades
    const [rejected] = mapped.filter((each) => each.kind === 'rejected')
    why ??= rejected?.message
  }
  return why ?? 'it is neither a frame nor a row with trades'
}

function attempt(read: () => readonly MappedTrade[]): readonly MappedTrade[] {
  try {
    return read()
  } catch {
    // It is something else: the next reading may know it.
    return []
  }
}
