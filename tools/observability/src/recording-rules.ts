import { hopFreshness, hopRate, hops } from './hops.ts'
import { Pace, minute } from './pace.ts'
import { maxOf, sumRate } from './promql.ts'
import { fullness, queues } from './queues.ts'

export interface RecordingRule {
  readonly record: string
  readonly expr: string
  readonly labels?: Readonly<Record<string, string>>
}

/** What ran through each hop, a second. */
export const hopRecords = 'tickertape:hop_records:rate'
/** What 95 of 100 took in each hop, in seconds. */
export const hopSeconds = 'tickertape:hop_seconds:p95'
/** What they may take. */
export const hopBudget = 'tickertape:hop_budget_seconds'
/** Records that a group has not read, of all partitions of a topic. */
export const lagRecords = 'tickertape:lag_records:sum'
/** Age of the oldest record that a group has not read, in seconds. */
export const lagSeconds = 'tickertape:lag_seconds:max'
/** The same as a share of the topic's retention: at 1 records are deleted unread. */
export const lagOfRetention = 'tickertape:lag_of_retention:ratio'
/** Records turned away a second, by service and reason. */
export const rejects = 'tickertape:rejects:rate'
/** How full each bounded queue is, 1 at its limit. */
export const queueFullness = 'tickertape:queue_fullness:ratio'

/** Series that several panels and alerts read. */
export function recordingRules(pace = new Pace()): readonly RecordingRule[] {
  const over = pace.span(5 * minute)
  return [
    ...hops.flatMap((hop) => {
      const labels = { hop: hop.name }
      return [
        { record: hopRecords, expr: hopRate(hop, pace.span(minute)), labels },
        { record: hopSeconds, expr: hopFreshness(hop, over), labels },
        { record: hopBudget, expr: `vector(${hop.budgetSeconds})`, labels },
      ]
    }),
    {
      record: lagRecords,
      expr: 'sum by (consumergroup, topic) (kafka_consumergroup_lag)',
    },
    {
      record: lagSeconds,
      expr: maxOf('kafka_consumergroup_lag_seconds', { by: ['consumergroup', 'topic'] }),
    },
    {
      record: lagOfRetention,
      expr: `${lagSeconds} / on (topic) group_left () (${maxOf('kafka_topic_retention_seconds', { by: ['topic'] })} > 0)`,
    },
    {
      record: rejects,
      expr: ['ingest', 'aggregator', 'pg_sink']
        .map((service) => sumRate(`${service}_rejected_total`, { by: ['service', 'reason'], over }))
        .join(' or '),
    },
    ...queues.map((queue) => ({
      record: queueFullness,
      expr: fullness(queue),
      labels: { queue: queue.name },
    })),
  ]
}
