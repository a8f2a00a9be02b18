import { setTimeout as delay } from 'node:timers/promises'

import { KafkaAvroError, messageOf } from './errors.ts'

/** How long a broker is waited for before reading is given up, in ms. */
const usualPatienceMs = 60_000
/** Whoever renews certificates or passwords does so while programs run. */
const passing: ReadonlySet<KafkaAvroError['code']> = new Set(['reading_failed', 'access_refused'])
const firstRetryMs = 50
const longestRetryMs = 2_000

/**
 * Tries again what failed with `reading_failed` or `access_refused`, a broker's restart or a new leader mostly, with growing
 * pauses, for a minute unless another time is given.
 *
 * @throws KafkaAvroError the last failure, when that is over, the signal came or the failure is
 *   another one.
 */
export async function patiently<T>(
  read: () => Promise<T>,
  signal: AbortSignal,
  onWarning: (message: string) => void,
  patienceMs = usualPatienceMs,
): Promise<T> {
  const began = performance.now()
  for (let pauseMs = firstRetryMs; ; pauseMs = Math.min(2 * pauseMs, longestRetryMs)) {
    try {
      return await read()
    } catch (error) {
      const isRetryable = error instanceof KafkaAvroError && passing.has(error.code)
      const isOver = signal.aborted || performance.now() - began > patienceMs
      if (!isRetryable || isOver) throw error
      onWarning(messageOf(error))
      await delay(pauseMs, undefined, { signal }).catch(() => undefined)
    }
  }
}
