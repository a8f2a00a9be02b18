import { KafkaAvroError } from '@tickertape/kafka-avro'
import { retrying } from '@tickertape/service-runtime'
import type { RetryPolicy } from '@tickertape/service-runtime'

import { databaseFaultOf } from './database-fault.ts'
import { PgSinkError } from './errors.ts'
import type { Dependency, PgSinkEvents } from './events.ts'

/** Runs an action until it succeeds, through faults of what it depends on. */
export type Through = <T>(dependency: Dependency, action: () => Promise<T>) => Promise<T>

export interface FaultPolicy extends RetryPolicy {
  /** Of what the database refuses; Infinity for no limit. */
  readonly maxRetries: number
}

/**
 * Outages are waited for without end. What the database refuses for other reasons than a row may be for good:
 * it is tried again as well, as often as the policy says, for somebody may mend it.
 *
 * Who has lost its partitions to another instance (it was frozen, or cut off from the broker) joins the group again, as
 * any consumer does: nothing is wrong with either of them.
 */
export function throughFaults(
  policy: FaultPolicy,
  events: Pick<PgSinkEvents, 'available' | 'overtaken' | 'refused' | 'unavailable'>,
): Through {
  return async (dependency, action) => {
    let refusals = 0
    const isPassing = (error: unknown): boolean => {
      if (isUnavailable(dependency, error)) return true
      if (dependency === 'kafka' && isOvertaken(error)) return true
      if (dependency !== 'database' || !isRefusal(error)) return false
      refusals += 1
      if (refusals <= policy.maxRetries) return true
      const message = error instanceof Error ? error.message : String(error)
      throw new PgSinkError(
        'write_refused',
        `The database refuses to write (${message}), at try ${refusals} of as many as PG_SINK_MAX_RETRIES allows. Nothing is lost: mend the database and start the sink again`,
        { cause: error },
      )
    }
    return await retrying(action, policy, {
      isPassing,
      onFailure: (error, retryInMs) => {
        if (isUnavailable(dependency, error)) events.unavailable(dependency, error, retryInMs)
        else if (isOvertaken(error)) events.overtaken(error, retryInMs)
        else events.refused(error, retryInMs, policy.maxRetries - refusals)
      },
      onSuccess: () => events.available(dependency),
    })
  }
}

function isOvertaken(error: unknown): error is PgSinkError {
  return error instanceof PgSinkError && error.code === 'stale_owner'
}

function isRefusal(error: unknown): boolean {
  if (error instanceof PgSinkError) return error.code === 'write_refused'
  return databaseFaultOf(error) === 'refusal'
}

function isUnavailable(dependency: Dependency, error: unknown): boolean {
  if (dependency === 'database') return databaseFaultOf(error) === 'outage'
  return error instanceof KafkaAvroError && passing.has(error.code)
}

const passing: ReadonlySet<KafkaAvroError['code']> = new Set([
  'registry_unreachable',
  'broker_unreachable',
  'access_refused',
  'registry_access_refused',
  'reading_failed',
])
