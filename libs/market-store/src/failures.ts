/**
 * What a failed statement says about its cause, by PostgreSQL's SQLSTATE.
 *
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
import { getTableColumns, is } from 'drizzle-orm'
import { PgTable } from 'drizzle-orm/pg-core'

import { MarketStoreError } from './errors.ts'
import * as schema from './schema.ts'

/**
 * Classes that say nothing about the statement, only about the moment: connection (08), transaction
 * rollback (40: deadlock, serialization), insufficient resources (53: disk, memory, connections),
 * operator intervention (57: shutdown, recovery), system error (58).
 */
const passingClasses = new Set(['08', '40', '53', '57', '58'])

/**
 * A replica, or a primary that was just demoted, refuses to write; a transaction was idle for too long; a
 * lock was not to be had.
 */
const passingStates = new Set(['25006', '25P03', '55P03'])

const passingSystemErrors = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'ENOTFOUND',
])

/** Errors of the driver itself have no code. */
const passingMessages =
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error)/

/** Values that a type cannot hold (22), broken constraints (23), limits such as an index entry's (54). */
const dataClasses = new Set(['22', '23', '54'])

/** No table, column or function of the name, no permission for it (42); what PostgreSQL has not (0A). */
const tableClasses = new Set(['42', '0A'])

/**
 * A table is not in the state that the statement needs: no schema of the name, an object in use. Or its columns
 * are of other types (22P03) or another number (22P04) than the bytes of a binary COPY: those are written here for
 * the types of the schema, so that no row of any value fits.
 */
const tableStates = new Set(['3F000', '55000', '55006', '22P03', '22P04'])

/** The columns that the statements fill. */
const ownColumns: ReadonlySet<string> = new Set(
  Object.values(schema).flatMap((table) =>
    is(table, PgTable) ? Object.values(getTableColumns(table)).map(({ name }) => name) : [],
  ),
)

/** Whether a failed statement may well succeed later, unchanged, on another connection. */
export function isOutage(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isOutage)
  if (!(error instanceof Error)) return false
  const code = codeOf(error)
  if (code === undefined) return passingMessages.test(error.message)
  if (passingSystemErrors.has(code)) return true
  const state = sqlState(error)
  return state !== undefined && (passingStates.has(state) || passingClasses.has(classOf(state)))
}

/**
 * Whether a row of the statement is to blame: without that row the others can be written. A trade whose
 * day has no partition is not: `isMissingPartition`.
 *
 * The error tells no more than that a row broke a rule. Whether any row can keep it, somebody who has altered the
 * table may not know: try other new rows, and where there are few `tryStoredRows`, before all are turned away.
 */
export function isDataError(error: unknown): boolean {
  if (error instanceof MarketStoreError) return error.code === 'not_storable'
  const state = sqlState(error)
  return state !== undefined && dataClasses.has(classOf(state)) && !isTableError(error)
}

/**
 * Whether a table, its schema or the permission for it is to blame: no row of any statement can be written
 * until somebody mends that, and no row may be dropped for it.
 */
export function isTableError(error: unknown): boolean {
  if (isMissingPartition(error)) return true
  const state = sqlState(error)
  if (state === undefined) return false
  return tableStates.has(state) || tableClasses.has(classOf(state)) || isForeignColumn(error)
}

/** A column that must not be null, and that nobody fills: it is somebody else's addition. */
function isForeignColumn(error: unknown): boolean {
  if (sqlState(error) !== '23502') return false
  // The driver's errors carry the column's name.
  const { column } = error as { column?: unknown }
  return typeof column === 'string' && !ownColumns.has(column)
}

/** Whether the role lacks a right to what the statement does. */
export function isPermissionMissing(error: unknown): boolean {
  return sqlState(error) === '42501'
}

/** Whether a row has a key that another row has. */
export function isUniqueViolation(error: unknown): boolean {
  return sqlState(error) === '23505'
}

/**
 * Whether a row found no partition: PostgreSQL calls that a broken constraint, but names none. Retention
 * may have dropped the partition between `ensureTradePartitions` and the statement.
 */
export function isMissingPartition(error: unknown): boolean {
  if (sqlState(error) !== '23514') return false
  // The driver's errors carry the constraint's name where there is one.
  const { constraint } = error as { constraint?: unknown }
  return constraint === undefined
}

/** The five letters that PostgreSQL gives each error; undefined for what is none of its errors. */
function sqlState(error: unknown): string | undefined {
  const code = error instanceof Error ? codeOf(error) : undefined
  // System errors of Node have letters of that form too (EPIPE).
  const isState = code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !passingSystemErrors.has(code)
  return isState ? code : undefined
}

function codeOf(error: Error): string | undefined {
  // Both the driver's and Node's errors carry a code.
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : undefined
}

function classOf(state: string): string {
  return state.slice(0, 2)
}
