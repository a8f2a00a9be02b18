import {
  candles,
  feedWatermarks,
  instruments,
  rejected,
  sequenceGaps,
  trades,
  tryStoredRows,
  undone,
} from '@tickertape/market-store'
import type { Transaction } from '@tickertape/market-store'

import { writeRows } from './batch-rows.ts'
import type { WrittenRows } from './batch-rows.ts'
import type { Batch } from './batch.ts'

const tables = {
  trades,
  candles,
  rejected,
  sequence_gaps: sequenceGaps,
  feed_watermarks: feedWatermarks,
  instruments,
}

/** So many others that break the same rule, and none that keeps it, are no accident. */
const enoughRefused = 10

/**
 * Whether the table is to blame for a row that it refuses: somebody has altered it so that it takes no new ones any
 * more, and all that come would end up in `rejected`. The evidence are other records of the batch:
 *
 * 1. One whose row goes in: the row is to blame.
 * 2. Ten that the same rule refuses, and none that goes in: the table is.
 * 3. Fewer: rows that the table holds are put in once more, and the table is to blame if the same rule refuses each.
 *    A table without rows is no evidence: then the row is, and what is rejected by mistake can be put back.
 *
 * What is there already, and what another rule refuses, says nothing of this one.
 *
 * @param row the one that is refused, as a batch of its own.
 * @param others some of the batch's other records, each as a batch of its own; those of other tables say nothing.
 * @param written what went in of the batch in this transaction.
 * @throws what passes by itself.
 */
export async function isTableToBlame(
  transaction: Transaction,
  error: unknown,
  row: Batch,
  others: Iterable<Batch>,
  written: WrittenRows,
): Promise<boolean> {
  const table = tableOf(row)
  if (table === undefined || written[table] > 0) return false
  const rule = ruleOf(error)
  const isSame = (why: unknown): boolean => ruleOf(why) === rule
  let refused = 0
  for (const other of others) {
    if (tableOf(other) !== table) continue
    let count = 0
    const why = await undone(transaction, async (inner) => {
      count = (await writeRows(inner, other, 'staged'))[table]
    })
    if (why === undefined && count > 0) return false
    if (why !== undefined && isSame(why)) refused += 1
  }
  if (refused >= enoughRefused) return true
  return (await tryStoredRows(transaction, tables[table], isSame)) === 'refused'
}

/** The rule that a row has broken: the kind of error, and the constraint or column if it is theirs. */
export function ruleOf(error: unknown): string {
  // The driver's errors carry PostgreSQL's fields.
  const { code, column, constraint } = error as Readonly<Partial<Record<string, string>>>
  return [code, constraint, column].join(' ')
}

function tableOf(row: Batch): keyof typeof tables | undefined {
  if (row.trades.length > 0) return 'trades'
  if (row.candles.length > 0) return 'candles'
  if (row.gaps.length > 0) return 'sequence_gaps'
  if (row.watermarks.length > 0) return 'feed_watermarks'
  if (row.instruments.length > 0) return 'instruments'
  return row.rejects.length > 0 || row.foreignRejects.length > 0 ? 'rejected' : undefined
}
