import { setTimeout as delay } from 'node:timers/promises'
import { StackProblem } from './stack-problem.ts'

export interface WaitBounds {
  /** Give up after this many milliseconds. */
  readonly boundMs: number
  readonly everyMs?: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Asks `probe` again and again until it answers with something other than `undefined`, and returns
 * that, or `undefined` once the time is up.
 *
 * @throws {StackProblem} `cancelled` when the signal is aborted
 */
export async function waitUntil<Answer>(
  probe: () => Promise<Answer | undefined> | Answer | undefined,
  { boundMs, everyMs = 50, signal }: WaitBounds,
): Promise<Answer | undefined> {
  const deadline = performance.now() + boundMs
  for (;;) {
    throwIfCancelled(signal)
    const answer = await probe()
    if (answer !== undefined) return answer
    if (performance.now() >= deadline) return undefined
    await delay(everyMs)
  }
}

export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new StackProblem('cancelled', 'Stopped before the stack was up.')
}
