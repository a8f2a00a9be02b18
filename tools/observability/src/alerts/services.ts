import { day, hour, minute } from '../pace.ts'
import type { Pace } from '../pace.ts'
import { during, rising } from './alert.ts'
import type { AlertGroup } from './alert.ts'

const jobs = 'job=~"ingest|aggregator|pg-sink|gateway"'
const gateway = 'instance="gateway:9104",job="gateway"'
const dependencyRetries = ['ingest', 'pg_sink', 'gateway']

/** Whether the processes run, and how they are. */
export function serviceAlerts(pace: Pace): AlertGroup {
  const look = pace.span(5 * minute)
  return {
    name: 'services',
    alerts: [
      {
        name: 'ServiceDown',
        severity: 'critical',
        expr: `up{${jobs}} == 0`,
        forSeconds: minute,
        summary: '{{ $labels.job }} does not answer',
        description: 'The admin port of {{ $labels.instance }} has not answered for a minute.',
        example: {
          series: { [`up{${gateway}}`]: during([1, 5], [0, 10], [1, 5]) },
          quietAt: 5,
          firesAt: 8,
          clearsAt: 16,
        },
      },
      {
        name: 'ServiceRestarting',
        severity: 'warning',
        expr: `changes(process_start_time_seconds{${jobs}}[${pace.span(15 * minute)}]) > 3`,
        forSeconds: 0,
        summary: '{{ $labels.job }} starts again and again',
        description:
          '{{ $labels.instance }} has been started {{ $value }} times within fifteen minutes.',
        example: {
          series: {
            [`process_start_time_seconds{${gateway}}`]: `${during([1, 5])} ${rising([60, 6])} ${during([900, 40])}`,
          },
          quietAt: 7,
          firesAt: 11,
          clearsAt: 30,
        },
      },
      {
        name: 'SessionsFailing',
        severity: 'critical',
        expr: `increase(aggregator_session_failures_total[${pace.span(15 * minute)}]) > 3`,
        forSeconds: 0,
        summary: 'The aggregator throws its state away again and again',
        description:
          '{{ $labels.instance }} has ended {{ $value | humanize }} sessions by a fault within fifteen minutes and restored what is committed each time.',
        example: {
          series: {
            'aggregator_session_failures_total{instance="aggregator:9102"}': rising(
              [0, 5],
              [1, 6],
              [0, 40],
            ),
          },
          quietAt: 7,
          firesAt: 12,
          clearsAt: 30,
        },
      },
      {
        name: 'DependencyUnavailable',
        severity: 'critical',
        // A longer window would go on for its length when the outage is over.
        expr: dependencyRetries
          .map(
            (service) =>
              `sum by (job, dependency) (rate(${service}_retries_total[${pace.span(minute)}])) > 0`,
          )
          .join(' or '),
        forSeconds: 5 * minute,
        summary: '{{ $labels.job }} cannot use {{ $labels.dependency }}',
        description:
          '{{ $labels.job }} has tried in vain to use {{ $labels.dependency }} for five minutes; it waits and tries on.',
        example: {
          series: {
            'pg_sink_retries_total{job="pg-sink",dependency="database"}': rising(
              [0, 5],
              [4, 12],
              [0, 20],
            ),
          },
          quietAt: 9,
          firesAt: 13,
          clearsAt: 20,
        },
      },
      {
        name: 'GatewayNotServing',
        severity: 'critical',
        expr: 'gateway_serving == 0',
        forSeconds: 5 * minute,
        summary: 'The gateway refuses all requests',
        description:
          '{{ $labels.instance }} has answered nothing but not_ready for five minutes: it waits for what it depends on.',
        example: {
          series: { [`gateway_serving{${gateway}}`]: during([1, 5], [0, 10], [1, 5]) },
          quietAt: 9,
          firesAt: 12,
          clearsAt: 16,
        },
      },
      {
        name: 'EventLoopBlocked',
        severity: 'warning',
        expr: `nodejs_eventloop_lag_p99_seconds{${jobs}} > 0.5`,
        forSeconds: 5 * minute,
        summary: 'The event loop of {{ $labels.job }} is blocked',
        description:
          'One in a hundred turns of the event loop of {{ $labels.instance }} waits {{ $value | humanizeDuration }} or longer.',
        example: {
          series: {
            [`nodejs_eventloop_lag_p99_seconds{${gateway}}`]: during([0.01, 5], [2, 10], [0.01, 5]),
          },
          quietAt: 9,
          firesAt: 12,
          clearsAt: 16,
        },
      },
      {
        name: 'SpansDropped',
        severity: 'warning',
        expr: `sum by (job, instance) (rate(tracing_spans_dropped_total[${look}])) > 0`,
        forSeconds: 10 * minute,
        summary: 'Traces of {{ $labels.job }} are lost',
        description:
          '{{ $labels.instance }} drops {{ $value | humanize }} spans a second: what takes them is down or too slow. Nothing but the traces suffers.',
        example: {
          series: {
            [`tracing_spans_dropped_total{${gateway}}`]: rising([0, 5], [60, 20], [0, 15]),
          },
          quietAt: 12,
          firesAt: 20,
          clearsAt: 34,
        },
      },
      {
        name: 'CertificateEnds',
        severity: 'warning',
        // 0 stands for a gateway without HTTPS.
        expr: `(gateway_tls_certificate_end_seconds > 0) - time() < ${pace.seconds(14 * day)}`,
        forSeconds: 0,
        summary: 'The certificate of the gateway ends in {{ $value | humanizeDuration }}',
        description:
          '{{ $labels.instance }} serves HTTPS by a certificate that ends in {{ $value | humanizeDuration }}.',
        example: {
          series: {
            [`gateway_tls_certificate_end_seconds{${gateway}}`]: during(
              [90 * day, 5],
              [7 * day, 5],
              [90 * day, 5],
            ),
          },
          quietAt: 4,
          firesAt: 6,
          clearsAt: 12,
        },
      },
      {
        name: 'DiskAlmostFull',
        severity: 'critical',
        expr: 'node_filesystem_avail_bytes{fstype!~"tmpfs|overlay|ramfs"} / node_filesystem_size_bytes < 0.1',
        forSeconds: 5 * minute,
        summary: '{{ $labels.mountpoint }} of {{ $labels.instance }} is almost full',
        description: '{{ $value | humanizePercentage }} of {{ $labels.mountpoint }} is left.',
        example: disk(during([50, 5], [5, 10], [50, 5]), { quietAt: 9, firesAt: 12, clearsAt: 16 }),
      },
      {
        name: 'DiskFilling',
        severity: 'warning',
        expr: `predict_linear(node_filesystem_avail_bytes{fstype!~"tmpfs|overlay|ramfs"}[${pace.span(6 * hour)}], ${pace.seconds(day)}) < 0`,
        forSeconds: hour,
        summary: '{{ $labels.mountpoint }} of {{ $labels.instance }} is full within a day',
        description:
          'At the pace of the last six hours {{ $labels.mountpoint }} of {{ $labels.instance }} has no room left in a day.',
        example: disk(`${during([1_000_000, 400])} 1000000-3000x200 ${during([400_000, 700])}`, {
          quietAt: 420,
          firesAt: 599,
          clearsAt: 1_100,
        }),
      },
    ],
  }
}

function disk(
  available: string,
  at: { readonly quietAt: number; readonly firesAt: number; readonly clearsAt: number },
) {
  const labels = 'instance="kafka:9100",mountpoint="/data",fstype="ext4"'
  return {
    series: {
      [`node_filesystem_avail_bytes{${labels}}`]: available,
      [`node_filesystem_size_bytes{${labels}}`]: during([100, 1_400]),
    },
    ...at,
  }
}
