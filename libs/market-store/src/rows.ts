import { formatDecimal } from '@tickertape/market-model'
import type {
  Candle,
  Decimal,
  InstrumentStatus,
  SequenceGap,
  Trade,
} from '@tickertape/market-model'
import { getTableColumns } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'

import type { BulkRow, UpsertRule } from './bulk.ts'
import { candleFields, gapFields, instrumentFields, tradeFields } from './fields.ts'
import type { Fields, SourcePosition } from './fields.ts'
import { candles, instruments, sequenceGaps, trades } from './schema.ts'
import type { rejected } from './schema.ts'

export type TradeRow = BulkRow<typeof trades>
export type CandleRow = BulkRow<typeof candles>
export type GapRow = BulkRow<typeof sequenceGaps>
export type InstrumentRow = BulkRow<typeof instruments>
export type RejectedRow = BulkRow<typeof rejected>

/** By the SQL type of a column, what the driver takes for it. The values are what `Fields` requires. */
const texts: ReadonlyMap<string, (value: unknown) => unknown> = new Map<
  string,
  (value: unknown) => unknown
>([
  ['numeric', (value) => formatDecimal(value as Decimal)],
  ['timestamp (3) with time zone', (value) => timeText(value as number)],
  ['jsonb', (value) => JSON.stringify(value)],
])

const toTradeRow = rowMaker(trades, tradeFields)
const toCandleRow = rowMaker(candles, candleFields)
const toGapRow = rowMaker(sequenceGaps, gapFields)
const toInstrumentRow = rowMaker(instruments, instrumentFields)

/** Of a record whose place in the log is not stored. */
const nowhere: SourcePosition = { partition: 0, offset: 0 }

/** The row of a trade; `position` is where market-events has it. */
export function tradeRow(trade: Trade, position: SourcePosition): TradeRow {
  return toTradeRow(trade, position)
}

/** The row of a closed candle. */
export function candleRow(candle: Candle): CandleRow {
  return toCandleRow(candle, nowhere)
}

/** The row of a gap as announced at `position` of market-events. */
export function gapRow(gap: SequenceGap, position: SourcePosition): GapRow {
  return toGapRow(gap, position)
}

/**
 * The row of an instrument as described at `position` of market-events.
 *
 * @param earlier its row so far, if there is one: what it is stays known where the record does not tell.
 */
export function instrumentRow(
  status: InstrumentStatus,
  position: SourcePosition,
  earlier?: InstrumentRow,
): InstrumentRow {
  const row = toInstrumentRow(status, position)
  return {
    ...row,
    base: row.base ?? earlier?.base ?? null,
    quote: row.quote ?? earlier?.quote ?? null,
    kind: row.kind ?? earlier?.kind ?? null,
    quantityUnit: row.quantityUnit ?? earlier?.quantityUnit ?? null,
  }
}

/** `instrumentRow`'s rule for a row that is stored already. */
export const keepKnownTerms: UpsertRule = {
  set: Object.fromEntries(
    ['base', 'quote', 'kind', 'quantity_unit'].map((name) => [
      name,
      `coalesce(excluded.${name}, instruments.${name})`,
    ]),
  ),
}

/** Milliseconds since the epoch as ISO 8601 in UTC. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString()
}

function rowMaker<T extends PgTable, Source>(table: T, fields: Fields<T, Source>) {
  const columns = Object.entries(getTableColumns(table)).map(([key, column]) => {
    // Keys of drizzle's columns are keys of the fields that derive from them.
    const valueOf = fields[key as keyof Fields<T, Source>]
    return { key, valueOf, toText: texts.get(column.getSQLType()) }
  })
  return (source: Source, position: SourcePosition): BulkRow<T> => {
    const row: Record<string, unknown> = {}
    for (const { key, valueOf, toText } of columns) {
      const value = valueOf(source, position)
      row[key] = value === null || toText === undefined ? value : toText(value)
    }
    // One entry for each column, of the type that `Fields` gives it.
    return row as BulkRow<T>
  }
}
