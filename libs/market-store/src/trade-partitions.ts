import type { Database, Session, Statement, Transaction } from './database.ts'

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
 * waits until then. A transaction that has used `trades` may not see what others add afterwards: its rows
 * of that day fail (`isMissingPartition`), and can be written in another transaction.
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

/**
 * Drops the partitions of `trades` before a day, with their rows. Readers and writers of other days go on
 * meanwhile; it waits for those who read these. Only partitions of one day that this lib has made are
 * dropped. `trade_retention` tells readers from when on trades are whole.
 *
 * What is interrupted is finished by the next call. If another process is at it, nothing is done.
 *
 * @param day the first one that is kept, as `tradeDay` gives it.
 * @returns names of the partitions that were dropped.
 */
export async function dropTradePartitionsBefore(
  database: Database,
  day: number,
): Promise<readonly string[]> {
  return await database.session(async (session) => {
    const { rows } = await session.query<{ locked: boolean }>(
      `select pg_try_advisory_lock(${retentionLock}, hashtext(current_schema())) as locked`,
    )
    if (rows[0]?.locked !== true) return []
    const expired = (await retainedPartitions(session)).filter(
      ({ name }) => name < partitionName(Math.max(firstDay, day)),
    )
    // First, so that nobody takes what is left of a day for all of it.
    if (expired.length > 0) await session.query(keepingFrom(day))
    for (const partition of expired) await dropPartition(session, partition)
    return expired.map(({ name }) => name)
  })
}

function keepingFrom(day: number): Statement {
  return {
    text: `insert into trade_retention (id, kept_from) values (1, $1)
      on conflict (id) do update set kept_from = greatest(excluded.kept_from, trade_retention.kept_from)`,
    values: [`${dayText(day)} 00:00+00`],
  }
}

interface Partition {
  readonly name: string
  readonly state: 'attached' | 'detaching' | 'detached'
}

/** Marks what is about to be detached: a table that somebody else has detached to keep it stays. */
const droppedNext = 'Past its retention: dropped as soon as nobody reads it'

/** Partitions of a day, and those that were detached in order to be dropped. */
async function retainedPartitions(session: Session): Promise<readonly Partition[]> {
  const { rows } = await session.query<Partition>({
    text: `select relname as name, case
        when inhrelid is null then 'detached'
        when inhdetachpending then 'detaching'
        else 'attached'
      end as state
      from pg_class
        left join pg_inherits on inhrelid = pg_class.oid and inhparent = 'trades'::regclass
        join pg_namespace on pg_namespace.oid = relnamespace
      where nspname = current_schema() and relkind = 'r'
        and relname ~ '^trades_[0-9]{8}$'
        and (inhrelid is not null or obj_description(pg_class.oid, 'pg_class') = $1)
      order by relname`,
    values: [droppedNext],
  })
  return rows
}

/** `concurrently` does not lock `trades` against anyone, but commits in between: see `Partition`. */
async function dropPartition(session: Session, { name, state }: Partition): Promise<void> {
  if (state === 'attached') {
    await session.query(`comment on table ${name} is '${droppedNext}'`)
    await session.query(`alter table trades detach partition ${name} concurrently`)
  } else if (state === 'detaching') {
    await session.query(`alter table trades detach partition ${name} finalize`)
  }
  await session.query(`drop table ${name}`)
}

/** Chosen once, for every version that drops partitions. */
const retentionLock = 1_917_364_204

/** Chosen once, for every version that adds partitions. */
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
