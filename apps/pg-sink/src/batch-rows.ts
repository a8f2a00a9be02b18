import type { Candle } from '@tickertape/market-model'
import {
  CopyRows,
  bulkCopy,
  bulkInsert,
  bulkUpsert,
  candleFormat,
  candleRow,
  candles,
  feedWatermarks,
  instruments,
  keepKnownTerms,
  rejected,
  sequenceGaps,
  stagedInsert,
  stagedUpsert,
} from '@tickertape/market-store'
import type { BulkStatement, Transaction, UpsertRule } from '@tickertape/market-store'

import type { Batch, Reject } from './batch.ts'
import { ownReject } from './rejected-row.ts'

/** Rows that a batch wrote, by table. */
export interface WrittenRows {
  readonly trades: number
  readonly candles: number
  readonly rejected: number
  readonly sequence_gaps: number
  readonly feed_watermarks: number
  readonly instruments: number
}

export const noRows: WrittenRows = {
  trades: 0,
  candles: 0,
  rejected: 0,
  sequence_gaps: 0,
  feed_watermarks: 0,
  instruments: 0,
}

/**
 * How trades are written: straight into their table, which fails as a whole if one is there already, or by
 * way of a table of their own, from which those that are there are left out: 1.5 times the work.
 */
export type TradeRoad = 'direct' | 'staged'

const insertRejected = bulkInsert(rejected)
const higherRevision: UpsertRule = {
  onlyIf:
    '(coalesce(excluded.rebuild_id, -1), excluded.revision) > (coalesce(candles.rebuild_id, -1), candles.revision)',
}
const upsertCandles = bulkUpsert(candles, higherRevision)
/**
 * From so many on they go by way of a table of their own: some statements more, but 13 us CPU a candle from the
 * topic on, where arrays of texts take 20.
 */
const manyCandles = 200
// The log's order decides, not that of writing: what was rejected may be put back much later.
const upsertGaps = bulkUpsert(sequenceGaps, {
  onlyIf: 'excluded.source_offset > sequence_gaps.source_offset',
})
const upsertWatermarks = bulkUpsert(feedWatermarks, {
  set: {
    up_to: 'greatest(excluded.up_to, feed_watermarks.up_to)',
    heartbeat_offset: 'greatest(excluded.heartbeat_offset, feed_watermarks.heartbeat_offset)',
  },
})
const upsertInstruments = bulkUpsert(instruments, {
  ...keepKnownTerms,
  onlyIf:
    'excluded.source_partition <> instruments.source_partition or excluded.source_offset > instruments.source_offset',
})

/** Writes a batch's rows, its own rejects among them. */
export async function writeRows(
  transaction: Transaction,
  batch: Batch,
  road: TradeRoad,
): Promise<WrittenRows> {
  return {
    trades: await writeTrades(transaction, batch, road),
    candles: await writeCandles(transaction, batch.candles),
    rejected:
      (await write(transaction, insertRejected, batch.foreignRejects)) +
      (await writeRejects(transaction, batch.rejects)),
    sequence_gaps: await write(transaction, upsertGaps, batch.gaps),
    feed_watermarks: await write(transaction, upsertWatermarks, batch.watermarks),
    instruments: await write(transaction, upsertInstruments, batch.instruments),
  }
}

/** @returns how many were not there yet. */
export async function writeRejects(
  transaction: Transaction,
  rejects: readonly Reject[],
): Promise<number> {
  return await write(transaction, insertRejected, rejects.map(ownReject))
}

export function addRows(one: WrittenRows, other: WrittenRows): WrittenRows {
  return {
    trades: one.trades + other.trades,
    candles: one.candles + other.candles,
    rejected: one.rejected + other.rejected,
    sequence_gaps: one.sequence_gaps + other.sequence_gaps,
    feed_watermarks: one.feed_watermarks + other.feed_watermarks,
    instruments: one.instruments + other.instruments,
  }
}

async function writeTrades(
  transaction: Transaction,
  batch: Batch,
  road: TradeRoad,
): Promise<number> {
  if (batch.trades.length === 0) return 0
  return road === 'direct'
    ? await bulkCopy(transaction, batch.trades)
    : await stagedInsert(transaction, batch.trades)
}

async function writeCandles(
  transaction: Transaction,
  standing: readonly Candle[],
): Promise<number> {
  if (standing.length < manyCandles) {
    return await write(transaction, upsertCandles, standing.map(candleRow))
  }
  const rows = new CopyRows(candleFormat)
  // A candle's row has no place in the log.
  for (const candle of standing) rows.append(candle, { partition: 0, offset: 0 })
  return await stagedUpsert(transaction, rows, higherRevision)
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
