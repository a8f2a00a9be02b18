import { lagRecords } from '../recording-rules.ts'
import type { DashboardPlan } from './dashboard.ts'
import { figure, lines } from './panels.ts'
import { levelBy, levelOf, rateBy, rateOf, spread, tailBy } from './queries.ts'

export const aggregator: DashboardPlan = {
  name: 'aggregator',
  title: 'Tickertape: aggregator',
  about: 'From the log to candles: what is read, what is open, what is committed.',
  sections: [
    {
      title: 'Now',
      panels: [
        figure(
          { title: 'Records a second' },
          'short',
          rateOf('aggregator_records_total', 'records'),
        ),
        figure(
          { title: 'Candles a second' },
          'short',
          rateOf('aggregator_candles_total', 'candles'),
        ),
        figure(
          { title: 'Records not read yet' },
          'short',
          { expr: `sum(${lagRecords}{consumergroup=~".*aggregator"})`, legend: 'records' },
          { warn: 20_000, bad: 200_000 },
        ),
        figure({ title: 'Open windows' }, 'short', levelOf('aggregator_open_windows', 'windows')),
        figure(
          { title: 'Stored windows' },
          'short',
          levelOf('aggregator_stored_windows', 'windows'),
        ),
        figure(
          { title: 'Paused partitions' },
          'short',
          levelOf('aggregator_paused', 'partitions'),
          { warn: 1, bad: 1 },
        ),
      ],
    },
    {
      title: 'Candles',
      panels: [
        lines({ title: 'By interval' }, 'cps', rateBy(['interval'], 'aggregator_candles_total')),
        lines({ title: 'By quality' }, 'cps', rateBy(['quality'], 'aggregator_candles_total')),
        lines(
          { title: 'Revised and rebuilt' },
          'cps',
          rateBy(['interval'], 'aggregator_revisions_total'),
          rateOf('aggregator_rebuilt_candles_total', 'rebuilt'),
        ),
        lines(
          {
            title: 'End of the window → candle committed',
            about: '95 of 100; the grace is in it.',
          },
          's',
          tailBy('interval', 'aggregator_candle_freshness_seconds'),
        ),
        lines(
          { title: 'Candles in progress' },
          'cps',
          rateBy(['result'], 'aggregator_live_candles_total'),
        ),
        lines({ title: 'Watermarks behind the clock' }, 's', {
          expr: 'max by (feed, partition) (aggregator_event_time_lag_seconds)',
          legend: '{{feed}} partition {{partition}}',
        }),
      ],
    },
    {
      title: 'Reading and committing',
      panels: [
        lines(
          { title: 'Records by what became of them' },
          'cps',
          rateBy(['outcome'], 'aggregator_records_total'),
        ),
        lines({ title: 'Rejected' }, 'cps', rateBy(['reason'], 'aggregator_rejected_total')),
        lines({ title: 'Appended → applied' }, 's', ...spread('aggregator_read_delay_seconds')),
        lines({ title: 'Transactions' }, 's', ...spread('aggregator_transaction_seconds')),
        lines(
          {
            title: 'Open trades',
            about: 'At the limit a partition is paused until the next commit.',
          },
          'short',
          levelBy(['partition'], 'aggregator_open_trades'),
          { expr: 'max(aggregator_open_trades_limit)', legend: 'at most' },
        ),
        lines({ title: 'Instruments' }, 'short', levelBy(['partition'], 'aggregator_instruments')),
      ],
    },
    {
      title: 'Restores and rereads',
      panels: [
        lines({ title: 'Restores', about: 'No candle of a partition is written meanwhile.' }, 's', {
          expr: 'aggregator_restore_seconds_sum / aggregator_restore_seconds_count',
          legend: '{{instance}} since its start, mean',
        }),
        lines(
          { title: 'Read again' },
          'cps',
          rateOf('aggregator_replayed_records_total', 'at restores'),
          rateOf('aggregator_reread_records_total', 'for corrections'),
        ),
        lines(
          { title: 'Faults' },
          'short',
          levelOf('aggregator_session_failures_total', 'sessions thrown away'),
          levelOf('aggregator_pauses_total', 'pauses'),
          levelOf('aggregator_live_failures_total', 'failures of candles in progress'),
        ),
      ],
    },
  ],
}
