import type { Delivery } from './delivery.ts'
import type { Absence } from './feed-heartbeats.ts'
import type { FeedState } from './feed-state.ts'

/**
 * Tells of an absence, before the first heartbeat behind it: a gap of the whole feed, or of those
 * instruments alone that no other replica covers.
 *
 * @param toTime the venue's time, behind the subscription that ends it.
 * @returns the instruments, by the venue's own symbol, of which the log misses nothing.
 * @throws the signal's reason.
 */
export async function tellAbsence(
  { events, gaps, heartbeats, replicas }: FeedState,
  deliveries: readonly Delivery[],
  { fromTime, isKnown }: Absence,
  toTime: number,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  if (fromTime === undefined || deliveries.length === 0) return new Set()
  const span = { fromTime, toTime }
  const names = deliveries.map(({ instrument }) => instrument)
  const covered = await replicas.awaitCoverage(span, names, signal)
  const missed = deliveries.filter(({ instrument }) => !covered.has(instrument))
  if (covered.size > 0) events.covered(covered.size, span)
  if (missed.length === 0) return covered
  heartbeats.lapse()
  if (covered.size > 0) {
    for (const gap of await gaps.declareOf(span, missed, signal)) events.gapOpened(gap)
  } else {
    events.gapOpened(await gaps.declare(span, deliveries, isKnown, signal))
    heartbeats.declared()
  }
  return covered
}
