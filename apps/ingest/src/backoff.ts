export interface BackoffBounds {
  readonly firstMs: number
  readonly maxMs: number
}

/**
 * Time to wait after a failure: doubled each time, up to a maximum, and spread over its upper half so
 * that many clients do not come back at once.
 *
 * @param failures in a row, from 1.
 * @param random in [0, 1).
 * @returns milliseconds.
 */
export function backoffMs(failures: number, bounds: BackoffBounds, random: number): number {
  const ceiling = Math.min(bounds.maxMs, bounds.firstMs * 2 ** Math.max(0, failures - 1))
  return Math.round(ceiling * (0.5 + random / 2))
}
