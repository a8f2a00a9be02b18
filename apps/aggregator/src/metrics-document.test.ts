import { readFileSync } from 'node:fs'

import {
  Readiness,
  Registry,
  createLogger,
  documentedMetrics,
  metricsTable,
  unboundedLabels,
} from '@tickertape/service-runtime'
import { expect, it } from 'vitest'

import { createEvents } from './events.ts'

const document = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8')

function registered(): Registry {
  const metrics = new Registry()
  const logger = createLogger({ service: 'aggregator', level: 'silent' })
  const readiness = new Readiness()
  createEvents({ logger, metrics, readiness }, { groupId: 'aggregator', maxOpenTrades: 1 })
  return metrics
}

it('docs/metrics.md has every metric of this service', () => {
  const rows = documentedMetrics(document, 'aggregator', 'Kafka clients', 'Consumer groups')
  expect(rows.toSorted()).toEqual(metricsTable(registered()).toSorted())
})

it('every label of a metric has a bounded number of values', () => {
  expect(unboundedLabels(registered())).toEqual([])
})
