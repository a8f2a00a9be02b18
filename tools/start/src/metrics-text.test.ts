import { describe, expect, it } from 'vitest'

import { sumMetric } from './metrics-text.ts'

const text = `# HELP rows_total Rows
# TYPE rows_total counter
rows_total{table="trades",service="pg-sink"} 10
rows_total{table="candles",service="pg-sink"} 5
rows_total_other 7
up 1
`

describe('sumMetric', () => {
  it('adds up a metric over its labels', () => {
    expect(sumMetric(text, 'rows_total')).toBe(15)
  })

  it('takes only lines with the labels asked for', () => {
    expect(sumMetric(text, 'rows_total', ['table="trades"'])).toBe(10)
  })

  it('reads a metric without labels', () => {
    expect(sumMetric(text, 'up')).toBe(1)
  })

  it('knows no metric by the beginning of its name', () => {
    expect(sumMetric(text, 'rows')).toBeUndefined()
  })
})
