import { getTableColumns, getTableName } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'

import type { Transaction } from './database.ts'
import { isOutage } from './failures.ts'

/** One that is taken suffices. */
const mostSamples = 10

/**
 * Whether a table still takes rows that it holds: a few are taken out and put in again, column by column of ours,
 * all of which is undone. If it takes none of them, somebody has altered it since.
 *
 * @param isFault whether an error is the one that is looked into; with any other a row counts as taken.
 * @returns true too for a table without rows, which says nothing.
 * @throws what passes by itself (`isOutage`).
 */
export async function takesStoredRows(
  transaction: Transaction,
  table: PgTable,
  isFault: (error: unknown) => boolean,
): Promise<boolean> {
  const name = `"${getTableName(table)}"`
  const { rows } = await transaction.query<{ part: string; place: string }>(
    `select tableoid::bigint as part, ctid::text as place from ${name} limit ${mostSamples}`,
  )
  for (const { part, place } of rows) {
    const error = await undone(transaction, (inner) =>
      inner.query({ text: replacing(name, table), values: [part, place] }),
    )
    if (error === undefined || !isFault(error)) return true
  }
  return rows.length === 0
}

/**
 * Runs a statement under a savepoint, and undoes it.
 *
 * @returns why it failed; undefined if it did not.
 * @throws what passes by itself.
 */
export async function undone(
  transaction: Transaction,
  run: (inner: Transaction) => Promise<unknown>,
): Promise<unknown> {
  const succeeded = new Error('it is undone')
  try {
    await transaction.savepoint(async (inner) => {
      await run(inner)
      throw succeeded
    })
  } catch (error) {
    if (error === succeeded) return undefined
    if (isOutage(error)) throw error
    return error
  }
  return undefined
}

/** By its place, for a key may be of any columns. */
function replacing(name: string, table: PgTable): string {
  const columns = Object.values(getTableColumns(table))
    .map((column) => `"${column.name}"`)
    .join(', ')
  return `with taken as (
      delete from ${name} where tableoid = $1::bigint::oid and ctid = $2::tid returning ${columns}
    )
    insert into ${name} (${columns}) select ${columns} from taken`
}
