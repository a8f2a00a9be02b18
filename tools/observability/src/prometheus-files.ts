import { alertGroups } from './alerts.ts'
import type { Alert, AlertGroup } from './alerts.ts'
import { Pace } from './pace.ts'
import { recordingRules } from './recording-rules.ts'
import type { ScrapedService } from './scraped-services.ts'

export interface ScrapePlan {
  readonly services: readonly ScrapedService[]
  readonly targetOf: (service: ScrapedService) => string
  readonly everySeconds: number
  /** As Prometheus resolves them: from the folder of its configuration. */
  readonly ruleFiles: readonly string[]
}

/** Prometheus' own configuration, as what its YAML says. */
export function prometheusConfig({ services, targetOf, everySeconds, ruleFiles }: ScrapePlan) {
  return {
    global: {
      scrape_interval: `${everySeconds}s`,
      evaluation_interval: `${everySeconds}s`,
      // A service that hangs is down within one interval.
      scrape_timeout: `${Math.min(10, everySeconds)}s`,
    },
    rule_files: ruleFiles,
    scrape_configs: services.map((service) => ({
      job_name: service.name,
      static_configs: [{ targets: [targetOf(service)] }],
    })),
  }
}

/** The rules that record series; evaluated in their order. */
export function recordingFile(pace = new Pace()) {
  return { groups: [{ name: 'tickertape', rules: recordingRules(pace) }] }
}

/** @param runbook where the runbook is to be read: each alert links to its section of it. */
export function alertFile(runbook: string, pace = new Pace()) {
  return {
    groups: alertGroups(pace).map(({ name, alerts }) => ({
      name: `tickertape-${name}`,
      rules: alerts.map((alert) => alertRule(alert, runbook, pace)),
    })),
  }
}

function alertRule(alert: Alert, runbook: string, pace: Pace) {
  return {
    alert: alert.name,
    expr: alert.expr,
    ...(alert.forSeconds === 0 ? {} : { for: pace.span(alert.forSeconds) }),
    labels: { severity: alert.severity },
    annotations: {
      summary: alert.summary,
      description: alert.description,
      runbook_url: `${runbook}#${alert.name.toLowerCase()}`,
    },
  }
}

/** promtool's unit tests of a group: each alert keeps quiet before its time, fires, and clears. */
export function alertTestFile({ alerts }: AlertGroup) {
  return {
    rule_files: ['../rules/recording.yml', '../rules/alerts.yml'],
    evaluation_interval: '1m',
    tests: alerts.map(({ name, example }) => ({
      name,
      interval: '1m',
      input_series: Object.entries(example.series).map(([series, values]) => ({ series, values })),
      promql_expr_test: [
        firing(name, example.quietAt, false),
        firing(name, example.firesAt, true),
        firing(name, example.clearsAt, false),
      ],
    })),
  }
}

function firing(alert: string, minutes: number, isFiring: boolean) {
  return {
    expr: `count by (alertname) (ALERTS{alertname="${alert}",alertstate="firing"})`,
    eval_time: `${minutes}m`,
    exp_samples: isFiring ? [{ labels: `{alertname="${alert}"}`, value: 1 }] : [],
  }
}
