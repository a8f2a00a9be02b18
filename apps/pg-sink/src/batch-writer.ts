import {
  bulkInsert,
  bulkUpsert,
  candles,
  ensureTradePartitions,
  feedWatermarks,
  rejected,
  sequenceGaps,
  tradeDay,
  trades,
} from '@tickertape/market-store'
import type { BulkStatement, Database, Transaction } from '@tickertape/market-store'

import type { Batch } from './batch.ts'
import { advanceOffsets } from './partition-epochs.ts'
import type { PartitionEpochs } from './partition-epochs.ts'

/** Rows that a batch wrote, by table. */
export interface WrittenRows {
  readonly trades: number
  readonly candles: number
  readonly rejected: number
  readonly sequence_gaps: number
  readonly feed_watermarks: number
}

const insertTrades = bulkInsert(trades)
const insertRejected = bulkInsert(rejected)
const upsertCandles = bulkUpsert(candles, {
  onlyIf:
    '(coalesce(excluded.rebuild_id, -1), excluded.revision) > (coalesce(candles.rebuild_id, -1), candles.revision)',
})
const upsertGaps = bulkUpsert(sequenceGaps)
const upsertWatermarks = bulkUpsert(feedWatermarks, {
  set: { up_to: 'greatest(excluded.up_to, feed_watermarks.up_to)' },
})

/**
 * Writes a batch: rows and offsets in one transaction. Safe to call again after an unknown outcome:
 * every statement finds its own rows and leaves them.
 *
 * @throws PgSinkError `stale_owner` if a partition has a newer owner; nothing is written then.
 */
export async function writeBatch(
  database: Database,
  batch: Batch,
  epochs: PartitionEpochs,
): Promise<WrittenRows> {
  await ensureTradePartitions(database, tradeDays(batch))
  return await database.transaction(async (transaction) => {
    // First, for it locks the partitions' rows: a newer owner waits for this batch, or has the epoch.
    await advanceOffsets(transaction, batch.positions, epochs)
    return {
      trades: await write(transaction, insertTrades, batch.trades),
      candles: await write(transaction, upsertCandles, batch.candles),
      rejected: await write(transaction, insertRejected, batch.rejected),
      sequence_gaps: await write(transaction, upsertGaps, batch.gaps),
      feed_watermarks: await write(transaction, upsertWatermarks, batch.watermarks),
    }
  })
}

function tradeDays(batch: Batch): ReadonlySet<number> {
  return new Set(batch.trades.map(({ eventTime }) => tradeDay(Date.parse(eventTime))))
}

async function write<Row>(
  transaction: Transaction,
  statement: BulkStatement<Row>,
  rows: readonly Row[],
): Promise<number> {
  if (rows.length === 0) return 0
  const { count } = await transaction.query(statement.with(rows))
  return count
}
