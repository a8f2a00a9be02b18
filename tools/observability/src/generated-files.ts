import { stringify } from 'yaml'

import { alertGroups } from './alerts.ts'
import { dashboardPlans } from './dashboards.ts'
import { buildDashboard } from './dashboards/dashboard.ts'
import { composePrometheusUrl, dashboardProviders, dataSources } from './grafana-provisioning.ts'
import { alertFile, alertTestFile, prometheusConfig, recordingFile } from './prometheus-files.ts'
import { composeTarget, localTarget, scrapedServices } from './scraped-services.ts'
import type { ScrapedService } from './scraped-services.ts'

const origin =
  '# Made by tools/observability: change it there, then run `npx nx run observability:generate`.\n'
const runbook = 'docs/runbook.md'
const everySeconds = 15

/** Folders below docker/ that hold nothing but generated files. */
export const generatedFolders: readonly string[] = ['grafana', 'prometheus']

/** Text of each generated file by its path below docker/. */
export function generatedFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['prometheus/prometheus.yml', yaml(scraping(localTarget))],
    ['prometheus/prometheus.compose.yml', yaml(scraping(composeTarget))],
    ['prometheus/rules/recording.yml', yaml(recordingFile())],
    ['prometheus/rules/alerts.yml', yaml(alertFile(runbook))],
    ...alertGroups().map((group): [string, string] => [
      `prometheus/tests/${group.name}.yml`,
      yaml(alertTestFile(group)),
    ]),
    ['grafana/provisioning/datasources/prometheus.yml', yaml(dataSources(composePrometheusUrl))],
    ['grafana/provisioning/dashboards/tickertape.yml', yaml(dashboardProviders())],
    ...dashboardPlans.map((plan): [string, string] => [
      `grafana/dashboards/${plan.name}.json`,
      `${JSON.stringify(buildDashboard(plan), null, 2)}\n`,
    ]),
  ])
}

function scraping(targetOf: (service: ScrapedService) => string) {
  return prometheusConfig({
    services: scrapedServices,
    targetOf,
    everySeconds,
    ruleFiles: ['rules/*.yml'],
  })
}

function yaml(content: unknown): string {
  return origin + stringify(content, { lineWidth: 0, aliasDuplicateObjects: false })
}
