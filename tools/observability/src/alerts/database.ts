import { minute } from '../pace.ts'
import type { Pace } from '../pace.ts'
import { during, rising } from './alert.ts'
import type { AlertGroup } from './alert.ts'

const sink = 'instance="pg-sink:9103",job="pg-sink"'
/** Of 2,000 million, at which PostgreSQL writes no more. */
const manyTransactionIds = 1_000_000_000
const shortWait = during([0, 5], [1, 10], [0, 5])

/** What PostgreSQL does with what the sink gives it. */
export function databaseAlerts(pace: Pace): AlertGroup {
  return {
    name: 'database',
    alerts: [
      {
        name: 'SinkPaused',
        severity: 'warning',
        expr: 'pg_sink_paused == 1',
        forSeconds: 5 * minute,
        summary: 'pg-sink reads nothing: the database takes no more',
        description:
          '{{ $labels.instance }} has not read on for five minutes, for PostgreSQL has not taken the last batch.',
        example: {
          series: { [`pg_sink_paused{${sink}}`]: shortWait },
          quietAt: 9,
          firesAt: 12,
          clearsAt: 16,
        },
      },
      {
        name: 'SinkRefused',
        severity: 'critical',
        expr: 'pg_sink_refused_by_database == 1',
        forSeconds: minute,
        summary: 'PostgreSQL refuses what pg-sink writes',
        description:
          'PostgreSQL refuses to write for {{ $labels.instance }}, for a reason that does not pass by itself: a table is missing or altered, a permission was taken, or the disk is full.',
        example: {
          series: { [`pg_sink_refused_by_database{${sink}}`]: shortWait },
          quietAt: 5,
          firesAt: 8,
          clearsAt: 16,
        },
      },
      {
        name: 'TransactionTooOld',
        severity: 'warning',
        expr: `pg_sink_database_oldest_transaction_seconds > ${pace.seconds(30 * minute)}`,
        forSeconds: 0,
        summary: 'A transaction of the database is {{ $value | humanizeDuration }} old',
        description:
          'The oldest transaction of the database of {{ $labels.instance }} is {{ $value | humanizeDuration }} old: no row that was replaced or deleted since can be removed.',
        example: {
          series: {
            [`pg_sink_database_oldest_transaction_seconds{${sink}}`]: `${rising([60, 60])} 0+0x5`,
          },
          quietAt: 29,
          firesAt: 40,
          clearsAt: 62,
        },
      },
      {
        name: 'TransactionIdsRunOut',
        severity: 'critical',
        expr: `pg_sink_database_transaction_id_age > ${manyTransactionIds}`,
        forSeconds: 0,
        summary: 'The database does not freeze its rows',
        description:
          'The oldest row of the database of {{ $labels.instance }} that is not frozen is {{ $value | humanize }} transactions old. At 2,000 million PostgreSQL writes no more.',
        example: {
          series: {
            [`pg_sink_database_transaction_id_age{${sink}}`]: during(
              [500_000_000, 5],
              [1_200_000_000, 5],
              [1_000_000, 5],
            ),
          },
          quietAt: 4,
          firesAt: 6,
          clearsAt: 12,
        },
      },
      {
        name: 'AggregatorPaused',
        severity: 'warning',
        expr: 'sum by (instance) (aggregator_paused) > 0',
        forSeconds: 5 * minute,
        summary: 'The aggregator has stopped reading {{ $value }} partitions',
        description:
          '{{ $value }} partitions of {{ $labels.instance }} have too many open trades: a feed’s heartbeats stay away, or AGGREGATOR_MAX_OPEN_TRADES is too low.',
        example: {
          series: { 'aggregator_paused{instance="aggregator:9102",partition="0"}': shortWait },
          quietAt: 9,
          firesAt: 12,
          clearsAt: 16,
        },
      },
    ],
  }
}
