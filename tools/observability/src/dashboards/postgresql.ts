import type { DashboardPlan } from './dashboard.ts'
import { figure, lines } from './panels.ts'
import { levelBy, levelOf, rateBy, rateOf, spread } from './queries.ts'

const byTable = (metric: string) => levelBy(['table'], `pg_sink_database_${metric}`)

export const postgresql: DashboardPlan = {
  name: 'postgresql',
  title: 'Tickertape: PostgreSQL',
  about: 'The database as pg-sink sees it, asked at most each 15 s.',
  sections: [
    {
      title: 'Now',
      panels: [
        figure({ title: 'Size' }, 'bytes', {
          expr: 'max(pg_sink_database_size_bytes)',
          legend: 'size',
        }),
        figure({ title: 'Connections' }, 'short', {
          expr: 'sum(pg_sink_database_connections)',
          legend: 'connections',
        }),
        figure(
          { title: 'Oldest transaction', about: 'It keeps dead rows from being removed.' },
          's',
          { expr: 'max(pg_sink_database_oldest_transaction_seconds)', legend: 'age' },
          { warn: 60, bad: 900 },
        ),
        figure({ title: 'Refused' }, 'short', levelOf('pg_sink_refused_by_database', 'refused'), {
          warn: 1,
          bad: 1,
        }),
      ],
    },
    {
      title: 'The database',
      panels: [
        lines(
          { title: 'Size by table', about: 'With indexes and partitions.' },
          'bytes',
          byTable('table_bytes'),
        ),
        lines({ title: 'Rows' }, 'short', byTable('live_rows')),
        lines({ title: 'Dead rows' }, 'short', byTable('dead_rows')),
        lines(
          { title: 'Connections by state' },
          'short',
          levelBy(['state'], 'pg_sink_database_connections'),
          { expr: 'max(pg_sink_database_connections_limit)', legend: 'at most' },
        ),
        lines(
          { title: 'Transactions' },
          'cps',
          rateBy(['outcome'], 'pg_sink_database_transactions_total'),
        ),
        lines({ title: 'Blocks read' }, 'cps', rateBy(['source'], 'pg_sink_database_blocks_total')),
        lines(
          { title: 'Written' },
          'Bps',
          rateOf('pg_sink_database_wal_bytes_total', 'write-ahead log'),
          rateOf('pg_sink_database_temporary_bytes_total', 'temporary files'),
        ),
        lines(
          { title: 'Waiting for each other' },
          'short',
          levelOf('pg_sink_database_lock_waits', 'locks that are waited for'),
          levelOf('pg_sink_database_deadlocks_total', 'deadlocks'),
        ),
        lines(
          { title: 'Transactions not frozen', about: 'At 2,000 million the server stops writing.' },
          'short',
          { expr: 'max(pg_sink_database_transaction_id_age)', legend: 'age of the oldest' },
        ),
      ],
    },
    {
      title: 'Writing',
      panels: [
        lines({ title: 'Rows written' }, 'cps', rateBy(['table'], 'pg_sink_rows_total')),
        lines({ title: "The sink's transactions" }, 's', ...spread('pg_sink_commit_seconds')),
        lines(
          { title: 'Batches by how they were written' },
          'cps',
          rateBy(['mode'], 'pg_sink_batches_total'),
        ),
        lines({ title: 'Undone' }, 'cps', rateBy(['mode'], 'pg_sink_fallbacks_total')),
        lines({ title: 'Paused' }, 'short', levelOf('pg_sink_paused', 'instances')),
        lines({ title: 'Failed attempts' }, 'cps', rateBy(['dependency'], 'pg_sink_retries_total')),
      ],
    },
  ],
}
