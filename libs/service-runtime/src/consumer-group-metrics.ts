import { Gauge } from 'prom-client'
import type { Registry } from 'prom-client'

/** What one partition of the group still has before it. */
export interface PartitionLag {
  readonly topic: string
  readonly partition: number
  readonly records: number
  /** Of the oldest of them; 0 without any. */
  readonly seconds: number
}

export interface ConsumerGroupMetrics {
  /** @param provider asked at each scrape; undefined while there is no member. */
  measureLagWith(provider: (() => readonly PartitionLag[]) | undefined): void
  /** @param seconds -1 for no limit. */
  retention(topic: string, seconds: number): void
}

/** The lag of a member of a consumer group, under the names that Kafka's exporters give it. */
export function createConsumerGroupMetrics(
  metrics: Registry,
  consumergroup: string,
): ConsumerGroupMetrics {
  const registers = [metrics]
  let measure: (() => readonly PartitionLag[]) | undefined
  const gauge = (name: string, help: string, of: (lag: PartitionLag) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ['consumergroup', 'topic', 'partition'],
      registers,
      collect() {
        this.reset()
        for (const lag of measure?.() ?? []) {
          const { topic, partition } = lag
          this.set({ consumergroup, topic, partition: String(partition) }, of(lag))
        }
      },
    })
  gauge(
    'kafka_consumergroup_lag',
    'Records of a partition that the group has not committed yet, told by the member that owns it',
    ({ records }) => records,
  )
  gauge(
    'kafka_consumergroup_lag_seconds',
    'How old the oldest of these records is at most, by the broker’s time of append; 0 without any',
    ({ seconds }) => seconds,
  )
  const retention = new Gauge({
    name: 'kafka_topic_retention_seconds',
    help: 'How long the topic keeps its records (retention.ms), asked at the start and each hour; -1 for ever',
    labelNames: ['topic'],
    registers,
  })
  return {
    measureLagWith(provider) {
      measure = provider
    },
    retention(topic, seconds) {
      retention.set({ topic }, seconds)
    },
  }
}
