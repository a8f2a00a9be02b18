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
  const logger = createLogger({ service: 'ingest', level: 'silent' })
  const readiness = new Readiness()
  const state = () => ({
    inFlight: 0,
    inFlightLimit: 0,
    waiting: 0,
    waitingMost: 0,
    waitingLimit: 0,
    openGaps: 0,
    openGapsFrom: undefined,
  })
  createEvents({ logger, metrics, readiness, venue: 'deribit', state })
  return metrics
}

it('docs/metrics.md has every metric of this service', () => {
  const rows = documentedMetrics(document, 'ingest', 'Kafka clients')
  expect(rows.toSorted()).toEqual(metricsTable(registered()).toSorted())
})

it('every label of a metric has a bounded number of values', () => {
  expect(unboundedLabels(registered())).toEqual([])
})
