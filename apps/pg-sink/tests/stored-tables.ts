import type { Transaction } from '@tickertape/market-store'

import type { Tables } from './log-truth.ts'

const ms = (column: string): string => `(extract(epoch from ${column}) * 1000)::bigint`
const orDash = (column: string): string => `coalesce(${column}::text, '-')`
const hex = (column: string): string => `coalesce(encode(${column}, 'hex'), '-')`

const columns: Readonly<Record<keyof Tables, readonly string[]>> = {
  trades: [
    'instrument_id',
    'trade_id',
    'version',
    ms('event_time'),
    'status',
    'price',
    'quantity',
    'taker_side',
    ms('received_at'),
    orDash('sequence'),
    'source_partition',
    'source_offset',
  ],
  candles: [
    'instrument_id',
    'interval',
    ms('window_start'),
    'close',
    'volume',
    'revision',
    orDash('rebuild_id'),
  ],
  rejected: [
    'topic',
    'partition',
    '"offset"',
    'stage',
    'reason',
    orDash('source_topic'),
    orDash('source_partition'),
    orDash('source_offset'),
    hex('key'),
    hex('value'),
  ],
  sequence_gaps: [
    'source_partition',
    'gap_id',
    orDash('instrument_id'),
    ms('from_time'),
    ms('to_time'),
    'from_sequence',
    'to_sequence',
    'state',
    'source_offset',
  ],
  feed_watermarks: ['partition', 'feed_id', ms('up_to'), 'heartbeat_offset'],
  instruments: [
    'instrument_id',
    'feed_id',
    'status',
    ms('event_time'),
    'source_partition',
    'source_offset',
  ],
}

/** Rows of a table as text, each once for each time that it is there. */
export async function storedRows(
  database: Pick<Transaction, 'query'>,
  table: keyof Tables,
): Promise<readonly string[]> {
  const { rows } = await database.query<{ row: string }>(
    `select concat_ws('|', ${columns[table].join(', ')}) as row from ${table}`,
  )
  return rows.map(({ row }) => row).toSorted()
}
