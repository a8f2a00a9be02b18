import { Gauge, Registry, collectDefaultMetrics } from 'prom-client'

import { revisionOf, version } from './build-info.ts'

/**
 * A registry with what every service tells: which build it is, and what its process and its Node.js take. All
 * metrics of the registry get the label `service`.
 *
 * @param revision as `revisionOf` takes it.
 */
export function createServiceMetrics(service: string, revision = ''): Registry {
  const metrics = new Registry()
  metrics.setDefaultLabels({ service })
  collectDefaultMetrics({ register: metrics })
  new Gauge({
    name: 'tickertape_build_info',
    help: '1; which version of the source runs, and on which Node.js',
    labelNames: ['version', 'revision', 'node'],
    registers: [metrics],
  }).set({ version, revision: revisionOf(revision), node: process.versions.node }, 1)
  return metrics
}
