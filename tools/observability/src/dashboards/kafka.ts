import { lagOfRetention, lagRecords, lagSeconds } from '../recording-rules.ts'
import type { DashboardPlan } from './dashboard.ts'
import { figure, lines } from './panels.ts'
import type { Query, Unit } from './panels.ts'
import { rateBy } from './queries.ts'

/** Lines of a metric of the clients, by the role of each in its service. */
function clients(title: string, unit: Unit, query: (metric: string) => Query, metric: string) {
  return lines({ title }, unit, query(`kafka_client_${metric}`))
}

const level = (metric: string): Query => ({ expr: metric, legend: '{{job}} {{client}}' })
const rate = (metric: string): Query => rateBy(['job', 'client'], metric)
const byGroup = '{{consumergroup}} {{topic}}'

export const kafka: DashboardPlan = {
  name: 'kafka',
  title: 'Tickertape: Kafka',
  about:
    "As the services see it: lag, transactions and their clients' statistics. The broker's own metrics need an agent in the broker.",
  sections: [
    {
      title: 'Now',
      panels: [
        figure(
          { title: 'Share of the retention', about: 'At 100 % records are deleted unread.' },
          'percentunit',
          { expr: `max(${lagOfRetention})`, legend: 'the worst' },
          { warn: 0.1, bad: 0.5 },
        ),
        figure(
          { title: 'Oldest unread' },
          's',
          { expr: `max(${lagSeconds})`, legend: 'age' },
          {
            warn: 10,
            bad: 600,
          },
        ),
        figure({ title: 'Unread' }, 'short', { expr: `sum(${lagRecords})`, legend: 'records' }),
      ],
    },
    {
      title: 'Lag',
      panels: [
        lines({ title: 'In records' }, 'short', { expr: lagRecords, legend: byGroup }),
        lines({ title: 'In time' }, 's', { expr: lagSeconds, legend: byGroup }),
        lines({ title: 'By partition' }, 'short', {
          expr: 'kafka_consumergroup_lag',
          legend: `${byGroup} {{partition}}`,
        }),
        lines({ title: 'As a share of the retention' }, 'percentunit', {
          expr: lagOfRetention,
          legend: byGroup,
        }),
        lines({ title: 'Retention' }, 's', {
          expr: 'max by (topic) (kafka_topic_retention_seconds)',
          legend: '{{topic}}',
        }),
      ],
    },
    {
      title: 'Groups',
      panels: [
        lines(
          { title: 'Assignments' },
          'short',
          { expr: 'aggregator_rebalances_total', legend: '{{instance}} aggregator' },
          { expr: 'pg_sink_rebalances_total', legend: '{{instance}} pg-sink' },
        ),
        lines(
          { title: 'Joining → assigned', about: 'Mean since the start.' },
          's',
          ...['aggregator', 'pg_sink'].map((service) => ({
            expr: `${service}_rebalance_seconds_sum / ${service}_rebalance_seconds_count`,
            legend: `{{instance}} ${service.replace('_', '-')}`,
          })),
        ),
      ],
    },
    {
      title: 'Clients',
      panels: [
        clients('Records waiting', 'short', level, 'queue_messages'),
        clients('Bytes waiting', 'bytes', level, 'queue_bytes'),
        clients('Requests in flight', 'short', level, 'requests_in_flight'),
        clients('Bytes sent', 'Bps', rate, 'sent_bytes_total'),
        clients('Bytes received', 'Bps', rate, 'received_bytes_total'),
        clients('Records fetched and not read yet', 'short', level, 'fetch_queue_messages'),
        lines({ title: 'Round trip to the slowest broker' }, 's', {
          expr: 'kafka_client_broker_rtt_seconds',
          legend: '{{job}} {{client}} p{{quantile}}',
        }),
        clients('Requests that timed out', 'cps', rate, 'request_timeouts_total'),
        clients('Requests sent again', 'cps', rate, 'request_retries_total'),
        clients('Brokers connected', 'short', level, 'brokers_connected'),
        clients('Bytes fetched and not read yet', 'bytes', level, 'fetch_queue_bytes'),
        clients('Connections that ended', 'cps', rate, 'broker_disconnects_total'),
      ],
    },
  ],
}
