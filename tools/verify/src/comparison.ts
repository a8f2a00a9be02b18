import type { Database, Transaction } from '@tickertape/market-store'

import {
  createDifferences,
  createDivision,
  createExpected,
  createFlatMinutes,
  createInstruments,
  createMinutes,
  createSeconds,
  createWatermarks,
} from './recomputation.ts'
import type { Snapshot } from './snapshot.ts'

export interface ComparisonOptions {
  readonly graceMs: number
  readonly quietSpanMs: number
  readonly shownDifferences: number
}

/** One candle that is not what its trades make it. */
export interface Difference {
  readonly kind: 'different' | 'missing' | 'extra'
  readonly instrumentId: string
  readonly interval: string
  readonly windowStart: Date
  /** Numbers as text, to the last digit; empty unless `different`. */
  readonly columns: readonly {
    readonly column: string
    readonly stored: string | null
    readonly recomputed: string | null
  }[]
}

export interface Comparison {
  /** Stored trades of the snapshot, of any status. */
  readonly trades: number
  /** Windows that were compared, by interval. */
  readonly candles: { readonly '1s': number; readonly '1m': number }
  readonly differences: number
  /** In (window end, interval, instrument) order. */
  readonly firstDifferences: readonly Difference[]
}

interface DifferenceRow {
  readonly kind: Difference['kind']
  readonly instrument_id: string
  readonly interval: string
  readonly window_start: Date
  readonly stored: Readonly<Record<string, string | null>>
  readonly recomputed: Readonly<Record<string, string | null>>
  readonly columns: readonly string[]
}

/** Recomputes the candles of a snapshot and compares them with the stored ones, in one transaction. */
export async function compareCandles(
  database: Database,
  snapshot: Snapshot,
  options: ComparisonOptions,
): Promise<Comparison> {
  return await database.transaction(async (transaction) => {
    await recompute(transaction, snapshot, options)
    const { rows } = await transaction.query<DifferenceRow>({
      text: `select * from differences
        order by window_end, interval desc, instrument_id collate "C" limit $1`,
      values: [options.shownDifferences],
    })
    return {
      trades: await count(transaction, 'select sum(trades) as count from instruments'),
      candles: {
        '1s': await count(transaction, countExpected('1s')),
        '1m': await count(transaction, countExpected('1m')),
      },
      differences: await count(transaction, 'select count(*) as count from differences'),
      firstDifferences: rows.map(toDifference),
    }
  }, 'begin isolation level repeatable read')
}

async function recompute(
  transaction: Transaction,
  { topic, positions, watermarks }: Snapshot,
  { graceMs, quietSpanMs }: ComparisonOptions,
): Promise<void> {
  // Sorting a million trades needs some 200 MB; more than the default goes to disk.
  await transaction.query(`set local work_mem = '256MB'`)
  await transaction.query(createDivision)
  await transaction.query({
    text: createWatermarks,
    values: [
      watermarks.map(({ partition }) => partition),
      watermarks.map(({ feedId }) => feedId),
      watermarks.map(({ upTo }) => upTo.toISOString()),
      graceMs,
    ],
  })
  await transaction.query({
    text: createInstruments,
    values: [[...positions.keys()], [...positions.values()]],
  })
  await transaction.query('analyze instruments')
  await transaction.query({ text: createSeconds, values: [topic] })
  await transaction.query(createMinutes)
  await transaction.query({ text: createFlatMinutes, values: [quietSpanMs] })
  await transaction.query(createExpected)
  await transaction.query('analyze expected')
  await transaction.query(createDifferences)
}

function countExpected(interval: '1s' | '1m'): string {
  return `select count(*) as count from expected where interval = '${interval}'`
}

async function count(transaction: Transaction, text: string): Promise<number> {
  const { rows } = await transaction.query<{ count: string | null }>(text)
  return Number(rows[0]?.count ?? 0)
}

function toDifference(row: DifferenceRow): Difference {
  return {
    kind: row.kind,
    instrumentId: row.instrument_id,
    interval: row.interval,
    windowStart: row.window_start,
    columns:
      row.kind === 'different'
        ? row.columns.map((column) => ({
            column,
            stored: row.stored[column] ?? null,
            recomputed: row.recomputed[column] ?? null,
          }))
        : [],
  }
}
