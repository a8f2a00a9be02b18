import {
  candles,
  feedWatermarks,
  instruments,
  rejected,
  sequenceGaps,
  takesStoredRows,
  trades,
  undone,
} from '@tickertape/market-store'
import type { Transaction } from '@tickertape/market-store'

import { writeRows } from './batch-rows.ts'
import type { Batch } from './batch.ts'

/**
 * Whether the table is to blame for a row that it refuses: somebody has altered it so that it takes none any
 * more, and all that come would end up in `rejected`. The evidence are rows that the table holds, put in once
 * more, and others of the batch: only if the same rule refuses each of them the table is to blame. A table
 * without rows is no evidence: then the row is, and what is rejected by mistake can be put back.
 *
 * @param row the one that is refused, as a batch of its own.
 * @param others some of the batch's records, each as a batch of its own; those of other tables say nothing.
 * @throws what passes by itself.
 */
export async function isTableToBlame(
  transaction: Transaction,
  error: unknown,
  row: Batch,
  others: Iterable<Batch>,
): Promise<boolean> {
  const table = tableOf(row)
  if (table === undefined) return false
  const rule = ruleOf(error)
  if (await takesStoredRows(transaction, table, (why) => ruleOf(why) === rule)) return false
  for (const other of others) {
    if (tableOf(other) !== table) continue
    const why = await undone(transaction, (inner) => writeRows(inner, other, 'staged'))
    if (why === undefined || ruleOf(why) !== rule) return false
  }
  return true
}

/** The rule that a row has broken: the kind of error, and the constraint or column if it is theirs. */
export function ruleOf(error: unknown): string {
  // The driver's errors carry PostgreSQL's fields.
  const { code, column, constraint } = error as Readonly<Partial<Record<string, string>>>
  return [code, constraint, column].join(' ')
}

function tableOf(row: Batch) {
  if (row.trades.length > 0) return trades
  if (row.candles.length > 0) return candles
  if (row.gaps.length > 0) return sequenceGaps
  if (row.watermarks.length > 0) return feedWatermarks
  if (row.instruments.length > 0) return instruments
  return row.rejects.length > 0 || row.foreignRejects.length > 0 ? rejected : undefined
}
