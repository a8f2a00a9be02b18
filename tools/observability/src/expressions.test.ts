import { readFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import {
  alertExpressions,
  panelExpressions,
  recordedExpressions,
  runbookExpressions,
  seriesIn,
} from './expressions.ts'
import { recordingRules } from './recording-rules.ts'

const documented = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8')
const recorded = new Set(recordingRules().map(({ record }) => record))
/** Of Prometheus itself, and of node_exporter. */
const others = new Set([
  'up',
  'ALERTS',
  'node_filesystem_avail_bytes',
  'node_filesystem_size_bytes',
])

const expressions = [
  ...panelExpressions(),
  ...recordedExpressions(),
  ...alertExpressions(),
  ...runbookExpressions(),
]

describe('expressions', () => {
  it.each([
    [
      'sum by (le, venue) (rate(ingest_append_seconds_bucket{venue=~"up"}[5m]))',
      ['ingest_append_seconds_bucket'],
    ],
    ['up{job="ingest"} == 1 unless on (instance) ingest_connected', ['up', 'ingest_connected']],
    ['tickertape:hop_seconds:p95 > on (hop) x', ['tickertape:hop_seconds:p95']],
  ])('%s reads %j', (text, series) => {
    expect(seriesIn({ where: 'here', text })).toEqual(series)
  })

  it('read no series that nobody tells', () => {
    expect(expressions.filter((expression) => !seriesIn(expression).every(isTold))).toEqual([])
  })
})

function isTold(series: string): boolean {
  const metric = series.replace(/_(?:bucket|sum|count)$/, '')
  return (
    others.has(series) ||
    recorded.has(series) ||
    [series, metric].some((name) => documented.includes(`| ${name} |`))
  )
}
