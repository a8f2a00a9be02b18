export interface UpToInput {
  /** The last heartbeat's; it never goes back. */
  readonly previous: number | undefined
  /** The venue's time, behind everything that it had sent by then. */
  readonly venueTime: number
  readonly marginMs: number
  /**
   * For each instrument with a hole the time up to which nothing is missing; undefined where even that
   * is not known.
   */
  readonly holes: readonly (number | undefined)[]
}

/**
 * The event time up to which a feed has delivered everything.
 *
 * @returns undefined if nothing can be said yet.
 */
export function nextUpTo({ previous, venueTime, marginMs, holes }: UpToInput): number | undefined {
  let upTo = venueTime - marginMs
  for (const hole of holes) {
    if (hole === undefined) return previous
    upTo = Math.min(upTo, hole)
  }
  return previous === undefined ? upTo : Math.max(previous, upTo)
}
