import type { Database, Transaction } from './database.ts'

const dayMs = 86_400_000

/** Event times outside of these years are not of a market: each would make a partition of its own. */
const firstDay = tradeDay(Date.UTC(2009, 0, 1))
const endDay = tradeDay(Date.UTC(2100, 0, 1))

/**
 * The UTC day that an event time belongs to, and with it the partition of its trade.
 *
 * @param eventTime ms since the epoch.
 * @returns days since the epoch.
 */
export function tradeDay(eventTime: number): number {
  return Math.floor(eventTime / dayMs)
}

/** Whether trades of this time have a partition, or can be given one: from 2009 up to 2099. */
export function isPartitionable(eventTime: number): boolean {
  const day = tradeDay(eventTime)
  return day >= firstDay && day < endDay
}

/**
 * Makes the partitions of `trades` for these days, where they are missing. Any number of connections may
 * do so at once, and others go on writing meanwhile.
 *
 * In a transaction the partitions are there for others once it commits, and whoever needs a new one
 * waits until then.
 *
 * @param days as `tradeDay` gives them, in any order, the same more than once.
 * @returns names of the partitions that were made.
 * @throws RangeError for a day that `isPartitionable` denies.
 */
export async function ensureTradePartitions(
  connection: Database | Transaction,
  days: Iterable<number>,
): Promise<readonly string[]> {
  const missing = await missingPartitions(connection, [...new Set(days)])
  if (missing.length === 0) return []
  if ('transaction' in connection) {
    return await connection.transaction((transaction) => addPartitions(transaction, missing))
  }
  return await addPartitions(connection, missing)
}

async function addPartitions(
  transaction: Transaction,
  days: readonly number[],
): Promise<readonly string[]> {
  // Per schema: tables of the same name in another one are others.
  await transaction.query(
    `select pg_advisory_xact_lock(${partitionLock}, hashtext(current_schema()))`,
  )
  const missing = await missingPartitions(transaction, days)
  for (const day of missing) {
    const name = partitionName(day)
    // `partition of` would lock `trades` against readers and writers; `attach` does not.
    await transaction.query(`create table if not exists ${name} (like trades including all)`)
    await transaction.query(
      `alter table trades attach partition ${name}
        for values from ('${dayText(day)} 00:00+00') to ('${dayText(day + 1)} 00:00+00')`,
    )
  }
  return missing.map(partitionName)
}

/** Chosen once, for every version that adds or drops partitions. */
const partitionLock = 1_917_364_203

async function missingPartitions(
  connection: Database | Transaction,
  days: readonly number[],
): Promise<readonly number[]> {
  const impossible = days.find((day) => !(day >= firstDay && day < endDay))
  if (impossible !== undefined) {
    throw new RangeError(
      `Day ${impossible} since the epoch is outside of the years 2009 to 2099, for which there are partitions of trades`,
    )
  }
  const { rows } = await connection.query<{ name: string }>({
    name: 'trade-partitions',
    text: `select relname as name from pg_inherits join pg_class on pg_class.oid = inhrelid
      where inhparent = 'trades'::regclass and relname = any($1::text[])`,
    values: [days.map(partitionName)],
  })
  const present = new Set(rows.map(({ name }) => name))
  return days.filter((day) => !present.has(partitionName(day))).toSorted((a, b) => a - b)
}

function partitionName(day: number): string {
  return `trades_${dayText(day).replaceAll('-', '')}`
}

/** `2026-01-05`. */
function dayText(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10)
}
