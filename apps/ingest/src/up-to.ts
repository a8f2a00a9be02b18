export interface UpToInput {
  /** The last heartbeat's; it never goes back. */
  readonly previous: number | undefined
  /** The venue's time, behind everything that it had sent by then. */
  readonly venueTime: number
  readonly marginMs: number
  /**
   * For each instrument that misses something the time up to which it does not; undefined where even
   * that is not known.
   */
  readonly incomplete: readonly (number | undefined)[]
}

/**
 * The event time up to which a feed has delivered everything.
 *
 * @returns undefined if nothing can be said yet.
 */
export function nextUpTo({
  previous,
  venueTime,
  marginMs,
  incomplete,
}: UpToInput): number | undefined {
  let upTo = venueTime - marginMs
  for (const deliveredUpTo of incomplete) {
    if (deliveredUpTo === undefined) return previous
    upTo = Math.min(upTo, deliveredUpTo)
  }
  return previous === undefined ? upTo : Math.max(previous, upTo)
}
