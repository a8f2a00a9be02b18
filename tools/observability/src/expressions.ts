import { readFileSync } from 'node:fs'

import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'

import { alertGroups } from './alerts.ts'
import { generatedFiles } from './generated-files.ts'
import { recordingRules } from './recording-rules.ts'

/** An expression as Prometheus takes it, and where it stands. */
export interface Expression {
  readonly where: string
  readonly text: string
}

/** Of every panel, with what Grafana puts in for its variables. */
export function panelExpressions(): readonly Expression[] {
  return [...generatedFiles()]
    .filter(([path]) => path.startsWith('grafana/dashboards/'))
    .flatMap(([, text]) => {
      // Made by the SDK from this type.
      const { title, panels = [] } = JSON.parse(text) as Dashboard
      return panels.flatMap((panel) =>
        'targets' in panel
          ? (panel.targets ?? []).map((target) => ({
              where: `${title} / ${panel.title}`,
              // Every target is a query of Prometheus.
              text: filledIn((target as { readonly expr?: string }).expr ?? ''),
            }))
          : [],
      )
    })
}

/** Of every rule that records. */
export function recordedExpressions(): readonly Expression[] {
  return recordingRules().map(({ record, expr, labels = {} }) => ({
    where: [record, ...Object.values(labels)].join(' '),
    text: expr,
  }))
}

export function alertExpressions(): readonly Expression[] {
  return alertGroups().flatMap(({ alerts }) =>
    alerts.map(({ name, expr }) => ({ where: name, text: expr })),
  )
}

/** Every line that the runbook tells to ask Prometheus. */
export function runbookExpressions(): readonly Expression[] {
  const runbook = readFileSync(new URL('../../../docs/runbook.md', import.meta.url), 'utf8')
  return [...runbook.matchAll(/^```promql\n(.*?)^```$/gms)].flatMap(([, block = '']) =>
    block
      .trim()
      .split('\n')
      .map((text) => ({ where: 'docs/runbook.md', text })),
  )
}

/** Names of the series that an expression reads. */
export function seriesIn({ text }: Expression): readonly string[] {
  const withoutLabels = text.replaceAll(/"[^"]*"|\b(?:by|on) \([^)]*\)|\[[^\]]*\]/g, ' ')
  const names = withoutLabels.match(
    /\b(?:tickertape:[\w:]+|(?:ingest|aggregator|pg_sink|gateway|kafka|process|nodejs|node_filesystem|tickertape|tracing)_\w+|up|ALERTS)\b/g,
  )
  return [...new Set(names)]
}

function filledIn(expression: string): string {
  return expression.replaceAll('$__rate_interval', '1m').replaceAll(/\$(?:venue|job)\b/g, '.*')
}
