import { KafkaAvroError } from '@tickertape/kafka-avro'
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

/** @returns undefined for what will not pass by itself. */
function dependencyOf(error: unknown): Dependency | undefined {
  if (!(error instanceof KafkaAvroError)) return undefined
  if (error.code === 'registry_unreachable') return 'registry'
  const isKafka = error.code === 'broker_unreachable' || error.code === 'reading_failed'
  return isKafka ? 'kafka' : undefined
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
