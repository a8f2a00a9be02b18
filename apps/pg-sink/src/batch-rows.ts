import {
  bulkInsert,
  bulkUpsert,
  candles,
  feedWatermarks,
  instruments,
  rejected,
  sequenceGaps,
} from '@tickertape/market-store'
import type { BulkStatement, Transaction } from '@tickertape/market-store'

import type { Batch, Reject } from './batch.ts'
import { ownReject } from './rejected-row.ts'
import { tradeLineColumns } from './trade-lines.ts'

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
const upsertCandles = bulkUpsert(candles, {
  onlyIf:
    '(coalesce(excluded.rebuild_id, -1), excluded.revision) > (coalesce(candles.rebuild_id, -1), candles.revision)',
})
const upsertGaps = bulkUpsert(sequenceGaps)
const upsertWatermarks = bulkUpsert(feedWatermarks, {
  set: { up_to: 'greatest(excluded.up_to, feed_watermarks.up_to)' },
})
const upsertInstruments = bulkUpsert(instruments)

const columns = tradeLineColumns.join(', ')
const key = 'instrument_id, trade_id, version, event_time'
const copyTrades = `copy trades (${columns}) from stdin`
const createStage =
  'create temporary table if not exists staged_trades (like trades) on commit delete rows'
const copyStaged = `copy staged_trades (${columns}) from stdin`
/** Of those that are twice in it the first in the log stands. */
const insertStaged = `insert into trades (${columns})
  select distinct on (${key}) ${columns} from staged_trades order by ${key}, source_offset
  on conflict do nothing`

/** Writes a batch's rows, its own rejects among them. */
export async function writeRows(
  transaction: Transaction,
  batch: Batch,
  road: TradeRoad,
): Promise<WrittenRows> {
  return {
    trades: await writeTrades(transaction, batch, road),
    candles: await write(transaction, upsertCandles, batch.candles),
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
  if (batch.trades === 0) return 0
  if (road === 'direct') return await transaction.copy(copyTrades, batch.tradeChunks)
  await transaction.query(createStage)
  // A part of this transaction before may have left rows.
  await transaction.query('delete from staged_trades')
  await transaction.copy(copyStaged, batch.tradeChunks)
  const { count } = await transaction.query(insertStaged)
  return count
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
