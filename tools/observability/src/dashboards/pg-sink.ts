import { lagRecords, lagSeconds } from '../recording-rules.ts'
import type { DashboardPlan } from './dashboard.ts'
import { figure, lines } from './panels.ts'
import { levelOf, rateBy, rateOf, spread, tailBy } from './queries.ts'

const group = 'consumergroup=~".*pg-sink"'

export const pgSink: DashboardPlan = {
  name: 'pg-sink',
  title: 'Tickertape: pg-sink',
  about: 'From the topics to PostgreSQL: batches, how they are written, what is left out.',
  sections: [
    {
      title: 'Now',
      panels: [
        figure({ title: 'Rows a second' }, 'short', rateOf('pg_sink_rows_total', 'rows')),
        figure(
          { title: 'Records not stored yet' },
          'short',
          { expr: `sum(${lagRecords}{${group}})`, legend: 'records' },
          { warn: 20_000, bad: 200_000 },
        ),
        figure(
          { title: 'Oldest of them' },
          's',
          { expr: `max(${lagSeconds}{${group}})`, legend: 'age' },
          { warn: 10, bad: 600 },
        ),
        figure({ title: 'Reading paused' }, 'short', levelOf('pg_sink_paused', 'paused'), {
          warn: 1,
          bad: 2,
        }),
        figure(
          { title: 'Refused by the database' },
          'short',
          levelOf('pg_sink_refused_by_database', 'refused'),
          { warn: 1, bad: 1 },
        ),
        figure({ title: 'Newest trade stored' }, 'dateTimeFromNow', {
          expr: 'max(pg_sink_last_event_time_seconds) * 1000',
          legend: 'event time',
        }),
      ],
    },
    {
      title: 'Rows',
      panels: [
        lines({ title: 'Rows by table' }, 'cps', rateBy(['table'], 'pg_sink_rows_total')),
        lines(
          { title: 'Duplicates left out' },
          'cps',
          rateBy(['known_by'], 'pg_sink_duplicates_total'),
        ),
        lines({ title: 'Rejected' }, 'cps', rateBy(['reason'], 'pg_sink_rejected_total')),
        lines(
          { title: 'Appended → committed', about: '95 of 100, by topic.' },
          's',
          tailBy('topic', 'pg_sink_freshness_seconds'),
        ),
        lines({ title: 'Lag in records' }, 'short', {
          expr: `${lagRecords}{${group}}`,
          legend: '{{topic}}',
        }),
        lines(
          { title: 'What was not available' },
          'cps',
          rateBy(['dependency'], 'pg_sink_retries_total'),
        ),
      ],
    },
    {
      title: 'Batches',
      panels: [
        lines({ title: 'First record → committed' }, 's', ...spread('pg_sink_batch_seconds')),
        lines({ title: 'Records in a batch' }, 'short', ...spread('pg_sink_batch_records'), {
          expr: 'max(pg_sink_full_batch_records)',
          legend: 'a full one',
        }),
        lines(
          {
            title: 'How they were written',
            about: 'direct: COPY; staged: what is there left out; halved: in search of a row.',
          },
          'cps',
          rateBy(['mode'], 'pg_sink_batches_total'),
        ),
        lines(
          { title: 'Undone and written in another way' },
          'cps',
          rateBy(['mode'], 'pg_sink_fallbacks_total'),
        ),
        lines(
          { title: 'Partitions of trades' },
          'short',
          levelOf('pg_sink_trade_partitions_made_total', 'made'),
          levelOf('pg_sink_trade_partitions_dropped_total', 'dropped'),
        ),
        lines(
          { title: 'Overtaken by another instance' },
          'short',
          levelOf('pg_sink_overtaken_total', 'times'),
        ),
      ],
    },
  ],
}
