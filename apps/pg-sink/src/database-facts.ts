import type { Database, Transaction } from '@tickertape/market-store'

import type { DatabaseFacts } from './database-metrics.ts'

/** Those that the sink writes: whatever else is in the schema is somebody else's, and may be any number. */
const tables = [
  'trades',
  'candles',
  'rejected',
  'sequence_gaps',
  'instruments',
  'feed_watermarks',
  'sink_offsets',
] as const

/** What is asked is worth no waiting: locks that somebody holds are not waited for, nor a slow disk. */
const patience = `set local statement_timeout = '2s'; set local lock_timeout = '200ms'`

/** PostgreSQL 17 has checkpoints in a view of their own. */
const ownCheckpoints = 170_000

/** Numbers of any type as text: bigints and numerics come out so anyway. */
type Numbers<Name extends string> = Readonly<Record<Name, string>>

/**
 * Asks PostgreSQL what it tells of itself to a role without privileges, in one short transaction that reads only.
 *
 * @throws what PostgreSQL or the connection says.
 */
export async function readDatabaseFacts(database: Database): Promise<DatabaseFacts> {
  return await database.transaction(async (transaction) => {
    await transaction.query(patience)
    const server = await readServer(transaction)
    const connections = await readConnections(transaction)
    return {
      sizeBytes: Number(server.size_bytes),
      tables: await readTables(transaction),
      connections,
      connectionsLimit: Number(server.connections_limit),
      oldestTransactionSeconds: Number(server.oldest_transaction_seconds),
      transactionIdAge: Number(server.transaction_id_age),
      lockWaits: Number(server.lock_waits),
      walBytes: Number(server.wal_bytes),
      checkpoints: await readCheckpoints(transaction, Number(server.version)),
      commits: Number(server.commits),
      rollbacks: Number(server.rollbacks),
      blocksFromMemory: Number(server.blocks_hit),
      blocksFromDisk: Number(server.blocks_read),
      temporaryBytes: Number(server.temporary_bytes),
      deadlocks: Number(server.deadlocks),
    }
  }, 'begin read only')
}

async function readServer(transaction: Transaction) {
  const { rows } = await transaction.query<
    Numbers<
      | 'version'
      | 'size_bytes'
      | 'connections_limit'
      | 'oldest_transaction_seconds'
      | 'transaction_id_age'
      | 'lock_waits'
      | 'wal_bytes'
      | 'commits'
      | 'rollbacks'
      | 'blocks_hit'
      | 'blocks_read'
      | 'temporary_bytes'
      | 'deadlocks'
    >
  >(`
    select
      current_setting('server_version_num') as version,
      pg_database_size(own.oid) as size_bytes,
      current_setting('max_connections') as connections_limit,
      -- The time is told of this role's own transactions, and of all to a role that may see them.
      (select coalesce(max(extract(epoch from clock_timestamp() - xact_start)), 0)
         from pg_stat_activity where datid = own.oid and pid <> pg_backend_pid()) as oldest_transaction_seconds,
      age(own.datfrozenxid) as transaction_id_age,
      (select count(*) from pg_locks where database = own.oid and not granted) as lock_waits,
      pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') as wal_bytes,
      told.xact_commit as commits,
      told.xact_rollback as rollbacks,
      told.blks_hit as blocks_hit,
      told.blks_read as blocks_read,
      told.temp_bytes as temporary_bytes,
      told.deadlocks as deadlocks
    from pg_database own join pg_stat_database told on told.datid = own.oid
    where own.datname = current_database()`)
  const [row] = rows
  if (row === undefined) throw new Error('PostgreSQL has no statistics of this database')
  return row
}

async function readConnections(transaction: Transaction): Promise<ReadonlyMap<string, number>> {
  const { rows } = await transaction.query<{ readonly state: string; readonly count: string }>(`
    select coalesce(state, 'hidden') as state, count(*) as count from pg_stat_activity
    where datname = current_database() and coalesce(backend_type, 'client backend') = 'client backend'
    group by 1`)
  return new Map(rows.map(({ state, count }) => [state, Number(count)]))
}

/** A partitioned table's are those of its partitions. */
async function readTables(transaction: Transaction): Promise<DatabaseFacts['tables']> {
  const { rows } = await transaction.query<
    { readonly table_name: string } & Numbers<'bytes' | 'live_rows' | 'dead_rows'>
  >({
    text: `
      select root.relname as table_name,
        sum(pg_total_relation_size(part.oid)) as bytes,
        sum(pg_stat_get_live_tuples(part.oid)) as live_rows,
        sum(pg_stat_get_dead_tuples(part.oid)) as dead_rows
      from pg_class root
        left join pg_inherits child on child.inhparent = root.oid
        join pg_class part on part.oid = coalesce(child.inhrelid, root.oid)
      where root.relnamespace = current_schema()::regnamespace and root.relname = any($1)
      group by root.relname`,
    values: [[...tables]],
  })
  return rows.map(({ table_name: table, bytes, live_rows: live, dead_rows: dead }) => ({
    table,
    // A partition that was dropped meanwhile has no size.
    bytes: Number(bytes ?? 0),
    liveRows: Number(live),
    deadRows: Number(dead),
  }))
}

async function readCheckpoints(transaction: Transaction, version: number): Promise<number> {
  const { rows } = await transaction.query<{ readonly checkpoints: string }>(
    version >= ownCheckpoints
      ? 'select num_timed + num_requested as checkpoints from pg_stat_checkpointer'
      : 'select checkpoints_timed + checkpoints_req as checkpoints from pg_stat_bgwriter',
  )
  return Number(rows[0]?.checkpoints)
}
