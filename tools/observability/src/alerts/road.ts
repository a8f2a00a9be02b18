import { hour, minute } from '../pace.ts'
import type { Pace } from '../pace.ts'
import {
  hopBudget,
  hopSeconds,
  lagOfRetention,
  lagRecords,
  queueFullness,
  rejects,
} from '../recording-rules.ts'
import { absent, during, rising } from './alert.ts'
import type { AlertGroup } from './alert.ts'

const partition = 'consumergroup="pg-sink",partition="0",topic="market-events"'
/** Fewer are a batch or two. */
const smallLag = 20_000

/** What goes from the venue to the readers, how fast, and what falls by the way. */
export function roadAlerts(pace: Pace): AlertGroup {
  const look = pace.span(5 * minute)
  return {
    name: 'road',
    alerts: [
      {
        name: 'FreshnessOverBudget',
        severity: 'warning',
        expr: `${hopSeconds} > on (hop) ${hopBudget}`,
        forSeconds: 5 * minute,
        summary: 'Hop {{ $labels.hop }} takes {{ $value | humanizeDuration }}',
        description:
          '95 of 100 records take up to {{ $value | humanizeDuration }} in hop {{ $labels.hop }}, which is over its budget.',
        example: {
          series: {
            'pg_sink_freshness_seconds_bucket{le="1"}': rising([60, 5], [0, 15], [60, 25]),
            'pg_sink_freshness_seconds_bucket{le="10"}': rising([60, 45]),
            'pg_sink_freshness_seconds_bucket{le="+Inf"}': rising([60, 45]),
          },
          quietAt: 8,
          firesAt: 16,
          clearsAt: 28,
        },
      },
      {
        name: 'NoCandles',
        severity: 'critical',
        expr: `sum(rate(ingest_trades_total[${look}])) > 0 unless sum(rate(aggregator_candles_total[${look}])) > 0`,
        forSeconds: 5 * minute,
        summary: 'Trades come in and no candle is committed',
        description:
          '{{ $value | humanize }} trades a second go into the log, and the aggregator has committed no candle for ten minutes.',
        example: {
          series: {
            'ingest_trades_total{job="ingest"}': rising([60, 50]),
            'aggregator_candles_total{job="aggregator",interval="1s"}': rising(
              [60, 5],
              [0, 20],
              [60, 25],
            ),
          },
          quietAt: 10,
          firesAt: 20,
          clearsAt: 30,
        },
      },
      {
        name: 'NothingStored',
        severity: 'critical',
        expr: `sum(rate(ingest_trades_total[${look}])) > 0 unless sum(rate(pg_sink_rows_total[${look}])) > 0`,
        forSeconds: 5 * minute,
        summary: 'Trades come in and no row is written to PostgreSQL',
        description:
          '{{ $value | humanize }} trades a second go into the log, and the sink has committed no row for ten minutes. Nothing is lost before the topics’ retention.',
        example: {
          series: {
            'ingest_trades_total{job="ingest"}': rising([60, 50]),
            'pg_sink_rows_total{job="pg-sink",table="trades"}': `${rising([60, 5])} ${absent(20)} ${rising([60, 25])}`,
          },
          quietAt: 10,
          firesAt: 20,
          clearsAt: 30,
        },
      },
      {
        name: 'LagGrowing',
        severity: 'warning',
        expr: `deriv(${lagRecords}[${pace.span(10 * minute)}]) > 0 and ${lagRecords} > ${smallLag}`,
        forSeconds: 10 * minute,
        summary: '{{ $labels.consumergroup }} falls behind in {{ $labels.topic }}',
        description:
          '{{ $labels.consumergroup }} reads {{ $labels.topic }} more slowly than it is written: its lag grows by {{ $value | humanize }} records a second.',
        example: {
          series: {
            [`kafka_consumergroup_lag{${partition}}`]: `0+0x4 ${rising([10_000, 25])} 0+0x10`,
          },
          quietAt: 12,
          firesAt: 22,
          clearsAt: 32,
        },
      },
      {
        name: 'LagNearRetention',
        severity: 'critical',
        expr: `${lagOfRetention} > 0.5`,
        forSeconds: 5 * minute,
        summary: '{{ $labels.topic }} is about to be deleted unread by {{ $labels.consumergroup }}',
        description:
          'The oldest record of {{ $labels.topic }} that {{ $labels.consumergroup }} has not read is {{ $value | humanizePercentage }} of the retention old. At 100 % records are deleted unread.',
        example: {
          series: {
            [`kafka_consumergroup_lag_seconds{${partition}}`]: during([0, 5], [4_000, 15], [0, 5]),
            'kafka_topic_retention_seconds{topic="market-events"}': during([7_200, 25]),
          },
          quietAt: 8,
          firesAt: 15,
          clearsAt: 22,
        },
      },
      {
        name: 'RejectsRising',
        severity: 'warning',
        expr: `${rejects} > 0.1`,
        forSeconds: 10 * minute,
        summary: '{{ $labels.service }} turns records away: {{ $labels.reason }}',
        description:
          '{{ $labels.service }} rejects {{ $value | humanize }} records a second for {{ $labels.reason }}. They are kept in the topic and the table rejected.',
        example: {
          series: {
            'aggregator_rejected_total{service="aggregator",reason="late"}': rising(
              [0, 5],
              [60, 20],
              [0, 15],
            ),
          },
          quietAt: 12,
          firesAt: 22,
          clearsAt: 36,
        },
      },
      {
        name: 'QueueNearLimit',
        severity: 'warning',
        expr: `${queueFullness} > 0.9`,
        forSeconds: 10 * minute,
        summary: '{{ $labels.queue }} is full to {{ $value | humanizePercentage }}',
        description:
          'The queue "{{ $labels.queue }}" of {{ $labels.instance }} has been full to {{ $value | humanizePercentage }} for ten minutes: what fills it goes on faster than what empties it.',
        example: {
          series: {
            'gateway_stream_clients{job="gateway",instance="gateway:9104"}': during(
              [10, 5],
              [1_950, 20],
              [10, 10],
            ),
            'gateway_stream_clients_limit{job="gateway",instance="gateway:9104"}': during([
              2_000, 35,
            ]),
          },
          quietAt: 12,
          firesAt: 18,
          clearsAt: 28,
        },
      },
      {
        name: 'RestoreTooSlow',
        severity: 'warning',
        expr: `increase(aggregator_restore_seconds_sum[${pace.span(hour)}]) / (increase(aggregator_restore_seconds_count[${pace.span(hour)}]) > 0) > 60`,
        forSeconds: 0,
        summary: 'The aggregator needs {{ $value | humanizeDuration }} to restore its state',
        description:
          'The restores of {{ $labels.instance }} within the last hour took {{ $value | humanizeDuration }} on average; no candle of their partitions is written meanwhile.',
        example: {
          series: {
            'aggregator_restore_seconds_sum{instance="aggregator:9102"}': during(
              [0, 10],
              [150, 80],
            ),
            'aggregator_restore_seconds_count{instance="aggregator:9102"}': during(
              [0, 10],
              [1, 80],
            ),
          },
          quietAt: 8,
          firesAt: 12,
          clearsAt: 80,
        },
      },
    ],
  }
}
