import { KafkaAvroError } from '@tickertape/kafka-avro'
import type { KafkaAvroErrorCode } from '@tickertape/kafka-avro'
import { retrying } from '@tickertape/service-runtime'
import type { Readiness } from '@tickertape/service-runtime'

import type { IngestEvents } from './events.ts'

/** What ingest waits for when it cannot go on. */
export type Dependency = 'kafka' | 'registry'

export type ThroughOutages = <T>(action: () => Promise<T>) => Promise<T>

const bounds = { firstMs: 200, maxMs: 5_000 }

/**
 * Runs what needs Kafka or the registry until it succeeds, however long they are away: readiness says
 * which of them is waited for.
 *
 * @returns a function that throws what will not pass by itself, and the signal's reason once it came.
 */
export function throughOutages(
  readiness: Readiness,
  events: Pick<IngestEvents, 'unavailable'>,
  signal: AbortSignal,
): ThroughOutages {
  return async (action) => {
    signal.throwIfAborted()
    return await retrying(
      action,
      { ...bounds, signal },
      {
        isPassing: (error) => dependencyOf(error) !== undefined,
        onFailure: (error, retryInMs) => {
          const dependency = dependencyOf(error) ?? 'kafka'
          readiness.ready(dependency === 'kafka' ? 'registry' : 'kafka')
          readiness.waitFor(dependency, `${dependency} is not available: ${messageOf(error)}`)
          events.unavailable(dependency, error, retryInMs)
        },
        onSuccess: () => {
          readiness.ready('kafka')
          readiness.ready('registry')
        },
      },
    )
  }
}

/** Whose faults they are, and that they pass, or that somebody mends them. */
const dependencies: Readonly<Partial<Record<KafkaAvroErrorCode, Dependency>>> = {
  access_refused: 'kafka',
  broker_unreachable: 'kafka',
  reading_failed: 'kafka',
  registry_access_refused: 'registry',
  registry_unreachable: 'registry',
}

/** @returns undefined for what will not pass. */
function dependencyOf(error: unknown): Dependency | undefined {
  if (!(error instanceof KafkaAvroError)) return undefined
  return dependencies[error.code]
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
