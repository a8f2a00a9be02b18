import { Counter, Gauge } from '@tickertape/service-runtime'
import type { Registry } from '@tickertape/service-runtime'

/** What PostgreSQL tells of itself to a role without privileges. Totals are since its statistics began. */
export interface DatabaseFacts {
  readonly sizeBytes: number
  readonly tables: readonly {
    readonly table: string
    readonly bytes: number
    readonly liveRows: number
    readonly deadRows: number
  }[]
  /** By their state; `hidden` where it is not told, because the connection is another role's. */
  readonly connections: ReadonlyMap<string, number>
  readonly connectionsLimit: number
  readonly oldestTransactionSeconds: number
  readonly transactionIdAge: number
  readonly lockWaits: number
  readonly walBytes: number
  readonly checkpoints: number
  readonly commits: number
  readonly rollbacks: number
  readonly blocksFromMemory: number
  readonly blocksFromDisk: number
  readonly temporaryBytes: number
  readonly deadlocks: number
}

type Level = (facts: DatabaseFacts) => Iterable<readonly [Record<string, string>, number]>

/** @param facts asked at each scrape; undefined while they are not known: then there are no series of them. */
export function createDatabaseMetrics(
  metrics: Registry,
  facts: () => DatabaseFacts | undefined,
): void {
  const registers = [metrics]
  const up: Gauge = new Gauge({
    name: 'pg_sink_database_up',
    help: '1 if the database has told of itself the last time that it was asked',
    registers,
    collect: () => up.set(facts() === undefined ? 0 : 1),
  })

  function define(
    kind: typeof Gauge<string> | typeof Counter<string>,
    name: string,
    help: string,
    labelNames: readonly string[],
    level: Level,
  ): void {
    const metric = new kind({
      name: `pg_sink_database_${name}`,
      help,
      labelNames: [...labelNames],
      registers,
      collect: () => {
        const known = facts()
        metric.reset()
        // A reset leaves a 0 where there are no labels.
        metric.remove({})
        for (const [labels, value] of known === undefined ? [] : level(known)) {
          metric.inc(labels, value)
        }
      },
    })
    metric.remove({})
  }
  const gauge = (name: string, help: string, of: (facts: DatabaseFacts) => number) =>
    define(Gauge, name, help, [], (known) => [[{}, of(known)]])
  const counter = (name: string, help: string, of: (facts: DatabaseFacts) => number) =>
    define(Counter, `${name}_total`, help, [], (known) => [[{}, of(known)]])
  const byTable = (
    name: string,
    help: string,
    of: (table: DatabaseFacts['tables'][number]) => number,
  ) =>
    define(Gauge, name, help, ['table'], ({ tables }) =>
      tables.map((each) => [{ table: each.table }, of(each)] as const),
    )

  gauge('size_bytes', 'Size of the database', ({ sizeBytes }) => sizeBytes)
  byTable('table_bytes', 'Size of a table with its indexes and partitions', ({ bytes }) => bytes)
  byTable('live_rows', 'Rows of a table, as its statistics say', ({ liveRows }) => liveRows)
  byTable('dead_rows', 'Rows of a table that wait for vacuum', ({ deadRows }) => deadRows)
  define(
    Gauge,
    'connections',
    'Connections to the database by state; hidden: those of other roles, whose state is not told',
    ['state'],
    ({ connections }) => connections.entries().map(([state, count]) => [{ state }, count] as const),
  )
  gauge('connections_limit', 'Most connections to the server', (known) => known.connectionsLimit)
  gauge(
    'oldest_transaction_seconds',
    'Age of the oldest open transaction that holds vacuum up, 0 without any',
    (known) => known.oldestTransactionSeconds,
  )
  gauge(
    'transaction_id_age',
    'Transactions since the oldest that is not frozen; at 2,000 million the server stops writing',
    (known) => known.transactionIdAge,
  )
  gauge('lock_waits', 'Locks that somebody waits for', ({ lockWaits }) => lockWaits)
  counter('wal_bytes', 'Write-ahead log written by the server', ({ walBytes }) => walBytes)
  counter('checkpoints', 'Checkpoints of the server', ({ checkpoints }) => checkpoints)
  define(
    Counter,
    'transactions_total',
    'Transactions of the database by outcome: commit, rollback',
    ['outcome'],
    ({ commits, rollbacks }) => [
      [{ outcome: 'commit' }, commits],
      [{ outcome: 'rollback' }, rollbacks],
    ],
  )
  define(
    Counter,
    'blocks_total',
    'Blocks read by source: memory (shared buffers), disk (or the system’s cache)',
    ['source'],
    ({ blocksFromMemory, blocksFromDisk }) => [
      [{ source: 'memory' }, blocksFromMemory],
      [{ source: 'disk' }, blocksFromDisk],
    ],
  )
  counter('temporary_bytes', 'Written to temporary files', (known) => known.temporaryBytes)
  counter('deadlocks', 'Deadlocks that the database has ended', ({ deadlocks }) => deadlocks)
}
