import { getTableColumns, getTableName } from 'drizzle-orm'
import { getTableConfig } from 'drizzle-orm/pg-core'
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'

import type { Statement } from './database.ts'

/**
 * A row on its way into a table: drizzle's own type of it, but times as ISO 8601 text and JSON as text,
 * for the driver would write a Date in local time and take long for it. Every column is named, so that
 * a new one cannot be forgotten.
 */
export type BulkRow<T extends PgTable> = {
  readonly [Column in keyof T['$inferSelect']]: BulkValue<T['$inferSelect'][Column]>
}

type BulkValue<V> = V extends Buffer | string | number | boolean | null ? V : string

/**
 * One statement for any number of rows, which travel as one array for each column.
 *
 * `insert … select from unnest` keeps one plan for every batch size; a `values` list would need one
 * for each, and ends at 65,535 parameters.
 */
export interface BulkStatement<Row> {
  with(rows: readonly Row[]): Statement
}

/** Inserts rows; of those with a key that is there already, or twice in the batch, the first stays. */
export function bulkInsert<T extends PgTable>(table: T): BulkStatement<BulkRow<T>> {
  return unnested(table, 'insert', keepFirst)
}

export interface UpsertRule {
  /** Condition on the row that is there (by the table's name) and the new one (`excluded`). */
  readonly onlyIf?: string
  /** By column: what it becomes, of the same two rows. The others become the new row's. */
  readonly set?: Readonly<Record<string, string>>
}

/** Inserts rows, or replaces those whose key is there already. A key must not be twice in a batch. */
export function bulkUpsert<T extends PgTable>(
  table: T,
  rule: UpsertRule = {},
): BulkStatement<BulkRow<T>> {
  return unnested(table, 'upsert', replaceUnder(table, rule))
}

/** Of rows with one key the first stays. */
export const keepFirst = 'on conflict do nothing'

/** The row that is there is replaced as the rule says. */
export function replaceUnder(table: PgTable, { onlyIf, set = {} }: UpsertRule): string {
  const key = new Set(keyColumns(table).map(({ name }) => name))
  const replaced = columnsOf(table)
    .filter(([, { name }]) => !key.has(name))
    .map(([, { name }]) => `"${name}" = ${set[name] ?? `excluded."${name}"`}`)
  const target = [...key].map((name) => `"${name}"`).join(', ')
  const condition = onlyIf === undefined ? '' : ` where ${onlyIf}`
  return `on conflict (${target}) do update set ${replaced.join(', ')}${condition}`
}

function unnested<T extends PgTable>(
  table: T,
  verb: string,
  onConflict: string,
): BulkStatement<BulkRow<T>> {
  const columns = columnsOf(table)
  const names = columns.map(([, column]) => `"${column.name}"`).join(', ')
  const arrays = columns.map(([, column], at) => `$${at + 1}::${column.getSQLType()}[]`)
  const name = `${verb}-${getTableName(table)}`
  const text = `insert into "${getTableName(table)}" (${names}) select * from unnest(${arrays.join(', ')}) ${onConflict}`
  // Keys of drizzle's columns are keys of the row type that derives from them.
  const keys = columns.map(([key]) => key as keyof BulkRow<T>)
  return {
    with: (rows) => ({ name, text, values: keys.map((key) => columnOf(rows, key)) }),
  }
}

/**
 * `unnest` fills shorter arrays up with nulls: a column that no row has costs nothing. Most columns
 * of a trade are such.
 */
function columnOf<Row>(rows: readonly Row[], key: keyof Row): readonly Row[keyof Row][] {
  const values = rows.map((row) => row[key])
  return values.every((value) => value === null) ? [] : values
}

function columnsOf(table: PgTable): [string, PgColumn][] {
  return Object.entries(getTableColumns(table))
}

function keyColumns(table: PgTable): readonly PgColumn[] {
  const { columns, primaryKeys, uniqueConstraints } = getTableConfig(table)
  const single = columns.filter(({ primary }) => primary)
  if (single.length > 0) return single
  const composite = primaryKeys[0]?.columns ?? uniqueConstraints[0]?.columns
  if (composite === undefined) throw new Error(`${getTableName(table)} has no key of columns`)
  return composite
}
