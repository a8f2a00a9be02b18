import { getTableColumns, getTableName } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'

import type { Transaction } from './database.ts'
import { isOutage, isPermissionMissing, isUniqueViolation } from './failures.ts'

/** One that is taken suffices. */
const mostSamples = 10

/** What a table does with rows that it holds; `unknown` if it has none, or other errors hid it. */
export type StoredRowsAnswer = 'taken' | 'refused' | 'unknown'

/**
 * Whether a table still takes rows that it holds: a few are taken out and put in again, column by column of ours,
 * all of which is undone. If it takes none of them, somebody has altered it since. That it takes them does not tell
 * that it takes new ones: what is stored fits the columns' present types, and its times are old.
 *
 * Who may not delete puts a second one in: rules of the row are looked at before its key is, so that a refusal is
 * known then, and nothing else.
 *
 * @param isFault whether an error is the one that is looked into; any other says nothing.
 * @throws what passes by itself (`isOutage`).
 */
export async function tryStoredRows(
  transaction: Transaction,
  table: PgTable,
  isFault: (error: unknown) => boolean,
): Promise<StoredRowsAnswer> {
  const name = `"${getTableName(table)}"`
  const { rows } = await transaction.query<{ part: string; place: string }>(
    `select tableoid::bigint as part, ctid::text as place from ${name} limit ${mostSamples}`,
  )
  let answer: StoredRowsAnswer = 'unknown'
  for (const { part, place } of rows) {
    const values = [part, place]
    const attempt = (text: string) => undone(transaction, (inner) => inner.query({ text, values }))
    const error = await attempt(replacing(name, table))
    if (error === undefined) return 'taken'
    const mayDelete = !isPermissionMissing(error)
    const why = mayDelete ? error : await attempt(repeating(name, table))
    // A second one has the key of the first.
    const isOwnKey = !mayDelete && isUniqueViolation(why)
    if (!isOwnKey && isFault(why)) answer = 'refused'
  }
  return answer
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
const atPlace = 'where tableoid = $1::bigint::oid and ctid = $2::tid'

function replacing(name: string, table: PgTable): string {
  const columns = columnsOf(table)
  return `with taken as (delete from ${name} ${atPlace} returning ${columns})
    insert into ${name} (${columns}) select ${columns} from taken`
}

function repeating(name: string, table: PgTable): string {
  const columns = columnsOf(table)
  return `insert into ${name} (${columns}) select ${columns} from ${name} ${atPlace}`
}

function columnsOf(table: PgTable): string {
  return Object.values(getTableColumns(table))
    .map((column) => `"${column.name}"`)
    .join(', ')
}
