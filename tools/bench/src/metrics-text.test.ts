import { expect, it } from 'vitest'

import { sumMetric } from './metrics-text.ts'

const text = `# HELP restore_seconds about restore_seconds 7
restore_seconds_sum{service="aggregator"} 1.5
restore_seconds_count{service="aggregator"} 1
records_total{outcome="a"} 2
records_total{outcome="b"} 3
plain 4`

it('a metric is summed over its labels', () => {
  expect(sumMetric(text, 'records_total')).toBe(5)
  expect(sumMetric(text, 'plain')).toBe(4)
})

it('a name that is the beginning of another is not taken for it', () => {
  expect(sumMetric(text, 'restore_seconds')).toBeUndefined()
  expect(sumMetric(text, 'restore_seconds_sum')).toBe(1.5)
})
