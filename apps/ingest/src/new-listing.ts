import type { Delivery } from './delivery.ts'
import { RestError } from './rest-client.ts'
import { hasSequences } from './trade-history.ts'
import type { VenueHistory } from './trade-history.ts'

/** Most trades that a new listing may have had before we saw it; one with more was only away for a while. */
const maxFirstTrades = 10_000

/**
 * Lets an instrument that the venue has just listed begin at its first trade, which the history still has.
 * Where that is not to be had it is left to begin behind the last one, as any other instrument.
 */
export async function beginNewListing(
  delivery: Delivery,
  history: VenueHistory,
  signal: AbortSignal,
): Promise<void> {
  if (delivery.kind !== 'sequenced' || !hasSequences(history)) return
  if (delivery.beginning !== 'unknown') return
  try {
    const newest = await history.newest(delivery.instrument, signal)
    const sequence = newest === undefined ? history.firstSequence : newest.sequence
    const isNew = typeof sequence === 'number' && sequence - history.firstSequence < maxFirstTrades
    if (isNew) delivery.beginBehind(undefined)
  } catch (error) {
    if (!(error instanceof RestError)) throw error
  }
}
