import type { Deserializer } from '@tickertape/kafka-avro'
import { timeText } from '@tickertape/market-store'
import type { Database, Transaction } from '@tickertape/market-store'
import { instrumentIdOf, intervalMs, intervals as everyInterval } from '@tickertape/market-model'
import type { Interval } from '@tickertape/market-model'

import {
  createDifferences,
  deleteUndecided,
  selectDoubtful,
  selectTouchedSince,
} from './differences.ts'
import { createEmptied, createFlatWindows, createQuietMinutes } from './flat-windows.ts'
import {
  createInstruments,
  createKnownTrades,
  createLevels,
  createTurnedAway,
  createWatermarks,
} from './known-trades.ts'
import {
  addTradedWindows,
  createDivision,
  createExpected,
  createGaps,
  createSeconds,
  createTradedMinutes,
} from './recomputation.ts'
import type { Snapshot } from './snapshot.ts'
import {
  createAllTrades,
  createUnstoredTrades,
  insertingUnstored,
  readUnstoredTrades,
} from './unstored-trades.ts'
import type { UnstoredTrade } from './unstored-trades.ts'

export interface ComparisonOptions {
  /** Those that the aggregator makes. */
  readonly intervals: readonly Interval[]
  readonly graceMs: number
  readonly quietSpanMs: number
  readonly shownDifferences: number
  /** Reads the trades that only the sink has turned away; without it they are left out. */
  readonly deserializer?: Deserializer<'market-events'> | undefined
  /**
   * Resolves once every record that the candles stored at this moment may come from is stored too. Asked
   * only if something differs: the candles go on while they are compared.
   */
  readonly whenRecordsStored: () => Promise<void>
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
  /** Trades that only the sink has turned away, and that count all the same. */
  readonly unstoredTrades: number
  /** Those of them that cannot be computed with: a line for each. Their windows may differ. */
  readonly leftOut: readonly string[]
  /** Windows that were compared, by interval; 0 for those that the aggregator does not make. */
  readonly candles: Readonly<Record<Interval, number>>
  readonly differences: number
  /** In (window end, interval, instrument) order. */
  readonly firstDifferences: readonly Difference[]
  /** Windows that differ, and that records behind the snapshot touch: another run decides. */
  readonly undecided: number
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

/**
 * Recomputes the candles of a snapshot and compares them with the stored ones, in one transaction.
 *
 * The stored candles are at least as new as the snapshot. Where one is newer, it may be a revision by
 * records behind it. Such windows are not judged: they are told by those records themselves, which are
 * read last, from `touchedSince`.
 */
export async function compareCandles(
  database: Database,
  snapshot: Snapshot,
  options: ComparisonOptions,
): Promise<Comparison> {
  return await database.transaction(async (transaction) => {
    // It waits for other services in the middle.
    await transaction.query('set local idle_in_transaction_session_timeout = 0')
    const leftOut = await recompute(transaction, snapshot, options)
    const different = await count(transaction, 'select count(*) as count from differences')
    if (different > 0) {
      await options.whenRecordsStored()
      await leaveUndecided(transaction, database, snapshot, options)
    }
    const differences = await count(transaction, 'select count(*) as count from differences')
    const { rows } = await transaction.query<DifferenceRow>({
      text: `select differences.* from differences join levels using (interval)
        order by window_end, length, instrument_id collate "C" limit $1`,
      values: [options.shownDifferences],
    })
    return {
      trades: await count(transaction, 'select sum(trades) as count from compared_instruments'),
      unstoredTrades: await count(
        transaction,
        'select count(*) as count from known_trades where not is_stored',
      ),
      leftOut,
      candles: await countExpected(transaction),
      differences,
      firstDifferences: rows.map(toDifference),
      undecided: different - differences,
    }
  }, 'begin isolation level repeatable read')
}

/** @returns what is left out. */
async function recompute(
  transaction: Transaction,
  { topic, positions, watermarks }: Snapshot,
  { deserializer, intervals, graceMs, quietSpanMs }: ComparisonOptions,
): Promise<readonly string[]> {
  // Sorting a million trades needs some 200 MB; more than the default goes to disk.
  await transaction.query(`set local work_mem = '256MB'`)
  await transaction.query(createDivision)
  await transaction.query({ text: createLevels, values: [intervals, intervals.map(intervalMs)] })
  await transaction.query({
    text: createWatermarks,
    values: [
      watermarks.map(({ partition }) => partition),
      watermarks.map(({ feedId }) => feedId),
      watermarks.map(({ upTo }) => upTo.toISOString()),
      watermarks.map(({ heartbeatOffset }) => heartbeatOffset),
      graceMs,
    ],
  })
  await transaction.query(createUnstoredTrades)
  const leftOut: string[] = []
  for await (const found of readUnstoredTrades(transaction, topic, deserializer)) {
    await transaction.query(insertingUnstored(found.trades))
    leftOut.push(...found.leftOut)
  }
  await transaction.query(createAllTrades)
  await transaction.query({
    text: createInstruments,
    values: [[...positions.keys()], [...positions.values()]],
  })
  await transaction.query('analyze compared_instruments')
  await transaction.query({ text: createTurnedAway, values: [topic] })
  await transaction.query(createKnownTrades)
  await transaction.query('analyze known_trades')
  await transaction.query(createSeconds)
  await transaction.query('create index on seconds (instrument_id, window_start)')
  await transaction.query('analyze seconds')
  await transaction.query(createTradedMinutes)
  await transaction.query(addTradedWindows)
  await transaction.query({ text: createQuietMinutes, values: [quietSpanMs] })
  await transaction.query({ text: createEmptied, values: [quietSpanMs] })
  await transaction.query(createFlatWindows)
  await transaction.query(createGaps)
  await transaction.query(createExpected)
  await transaction.query('analyze expected')
  await transaction.query(createDifferences)
  return leftOut
}

/** @param database another connection: it sees what was stored since the transaction began. */
async function leaveUndecided(
  transaction: Transaction,
  database: Database,
  { topic }: Snapshot,
  { deserializer }: ComparisonOptions,
): Promise<void> {
  const doubtful = await transaction.query<{
    instrument_id: string
    partition: number | null
    next_offset: string
  }>(selectDoubtful)
  const ends = new Map(doubtful.rows.map((row) => [row.instrument_id, Number(row.next_offset)]))
  const unstored: UnstoredTrade[] = []
  for await (const { trades } of readUnstoredTrades(database, topic, deserializer)) {
    unstored.push(
      ...trades.filter(({ trade, offset }) => {
        return offset >= (ends.get(instrumentIdOf(trade)) ?? Infinity)
      }),
    )
  }
  const touched = await database.query<{ instrument_id: string; touched_from: Date }>({
    text: selectTouchedSince,
    values: [
      doubtful.rows.map(({ instrument_id }) => instrument_id),
      doubtful.rows.map(({ partition }) => partition),
      doubtful.rows.map(({ next_offset }) => next_offset),
      unstored.map(({ trade }) => instrumentIdOf(trade)),
      unstored.map(({ trade }) => trade.tradeId),
      unstored.map(({ trade }) => trade.sequence),
      unstored.map(({ trade }) => timeText(trade.eventTime)),
    ],
  })
  await transaction.query({
    text: deleteUndecided,
    values: [
      touched.rows.map(({ instrument_id }) => instrument_id),
      touched.rows.map(({ touched_from }) => touched_from.toISOString()),
    ],
  })
}

async function countExpected(transaction: Transaction): Promise<Record<Interval, number>> {
  const { rows } = await transaction.query<{ interval: string; count: string }>(
    'select interval, count(*) as count from expected group by interval',
  )
  const counts = new Map(rows.map(({ interval, count: found }) => [interval, Number(found)]))
  const entries = everyInterval.map((interval) => [interval, counts.get(interval) ?? 0] as const)
  // One entry for each interval.
  return Object.fromEntries(entries) as Record<Interval, number>
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
