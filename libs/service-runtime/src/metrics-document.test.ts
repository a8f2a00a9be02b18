import { readFileSync } from 'node:fs'

import { Gauge, Registry } from 'prom-client'
import { expect, it } from 'vitest'

import { createConsumerGroupMetrics } from './consumer-group-metrics.ts'
import { createKafkaClientMetrics } from './kafka-client-metrics.ts'
import { documentedMetrics, metricsTable, unboundedLabels } from './metrics-table.ts'
import { createServiceMetrics } from './service-metrics.ts'
import { createTracingMetrics } from './service-tracing.ts'

const document = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8')

function registered(register: (metrics: Registry) => void): Registry {
  const metrics = new Registry()
  register(metrics)
  return metrics
}

const parts = [
  { title: 'Every service', metrics: createServiceMetrics('test') },
  { title: 'Kafka clients', metrics: registered(createKafkaClientMetrics) },
  {
    title: 'Consumer groups',
    metrics: registered((metrics) => createConsumerGroupMetrics(metrics, 'group')),
  },
  {
    title: 'Traces',
    metrics: registered((metrics) => createTracingMetrics(metrics, () => 0, 1)),
  },
]

// The number of open files is told on Linux alone.
it.runIf(process.platform === 'linux').each(parts)(
  'docs/metrics.md has what is told of: $title',
  ({ title, metrics }) => {
    expect(documentedMetrics(document, title)).toEqual(metricsTable(metrics))
    expect(unboundedLabels(metrics)).toEqual([])
  },
)

it('a label that is not known to be bounded is told', () => {
  const labelNames = ['topic', 'instrument']
  const metrics = registered((registry) => {
    registry.registerMetric(new Gauge({ name: 'trades', help: 'h', labelNames, registers: [] }))
  })
  expect(unboundedLabels(metrics)).toEqual(['trades{instrument}'])
})

it('a row has the name, the type, the labels and the meaning of a metric', () => {
  const labelNames = ['topic', 'feed']
  const metrics = registered((registry) => {
    registry.registerMetric(new Gauge({ name: 'a_b', help: 'a | b', labelNames, registers: [] }))
  })
  expect(metricsTable(metrics)).toEqual(['| a_b | gauge | `topic`, `feed` | a \\| b |'])
})
