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
import { createMarketViewEvents } from './market-view/events.ts'
import { createProtectionEvents } from './protection/events.ts'
import { createStreamEvents } from './stream/events.ts'

const document = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8')

function registered(): Registry {
  const metrics = new Registry()
  const logger = createLogger({ service: 'gateway', level: 'silent' })
  const readiness = new Readiness()
  const context = { logger, metrics, readiness }
  createEvents(context)
  createMarketViewEvents(context)
  createProtectionEvents(context)
  createStreamEvents(context)
  return metrics
}

it('docs/metrics.md has every metric of this service', () => {
  const rows = documentedMetrics(document, 'gateway', 'Kafka clients')
  expect(rows.toSorted()).toEqual(metricsTable(registered()).toSorted())
})

it('every label of a metric has a bounded number of values', () => {
  expect(unboundedLabels(registered())).toEqual([])
})
