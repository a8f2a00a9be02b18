import { setTimeout as wait } from 'node:timers/promises'

export interface RetryPolicy {
  readonly firstMs: number
  readonly maxMs: number
  /** Ends the waiting, never an attempt. */
  readonly signal: AbortSignal
}

export interface RetryEvents {
  /** Whether the fault can pass by itself; any other is thrown. */
  readonly isPassing: (error: unknown) => boolean
  readonly onFailure: (error: unknown, retryInMs: number) => void
  /** After an attempt that succeeds. */
  readonly onSuccess: () => void
}

/**
 * Runs an action until it succeeds, through outages of any length, with waits that double.
 *
 * @throws the action's error if it will not pass; the signal's reason if it came while waiting.
 */
export async function retrying<T>(
  action: () => Promise<T>,
  policy: RetryPolicy,
  events: RetryEvents,
): Promise<T> {
  for (let retryInMs = policy.firstMs; ; retryInMs = Math.min(retryInMs * 2, policy.maxMs)) {
    try {
      const result = await action()
      events.onSuccess()
      return result
    } catch (error) {
      if (!events.isPassing(error)) throw error
      policy.signal.throwIfAborted()
      events.onFailure(error, retryInMs)
    }
    // The abort is told below, by its own reason.
    await wait(retryInMs, undefined, { signal: policy.signal }).catch(() => undefined)
    policy.signal.throwIfAborted()
  }
}
