import { fileURLToPath } from 'node:url'

import type { RunningStack } from '@tickertape/stack'

import { benchIntervals, graceMs } from './fill-plan.ts'
import { MeasuredService } from './measured-service.ts'

const main = fileURLToPath(new URL('../../../apps/aggregator/src/main.ts', import.meta.url))

export interface AggregatorOptions {
  readonly stack: RunningStack
  readonly prefix: string
  /** Without the prefix, which the service puts before it. */
  readonly groupId: string
  /** Folder for a CPU profile of the process, written when it stops. */
  readonly cpuProf: string | undefined
  /** On top of the bench's own settings. */
  readonly environment?: Readonly<Record<string, string>>
}

/** The aggregator as a process of its own, with the settings of the bench and else its defaults. */
export function startAggregator(options: AggregatorOptions): MeasuredService {
  const { stack, prefix, groupId, cpuProf } = options
  return MeasuredService.start({
    name: 'the aggregator',
    main,
    environment: {
      KAFKA_BROKERS: stack.kafkaBrokers,
      REGISTRY_URL: stack.registryUrl,
      TOPIC_PREFIX: prefix,
      AGGREGATOR_GROUP_ID: groupId,
      AGGREGATOR_INTERVALS: benchIntervals.join(','),
      AGGREGATOR_INDICATORS: 'close:span=12 close:halflife=5',
      AGGREGATOR_GRACE_MS: String(graceMs),
      AGGREGATOR_ADMIN_PORT: '0',
      ...options.environment,
    },
    cpuProf,
  })
}
