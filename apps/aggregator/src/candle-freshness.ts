import type { Candle } from '@tickertape/market-model'

/** Windows of one interval that end at the same time, and whose first candles are committed together. */
export interface ClosedWindows {
  readonly interval: string
  /** Ms since the epoch. */
  readonly windowEnd: number
}

/**
 * Which windows a transaction closes for the first time, each end once: its candles come in the order of their ends
 * and intervals, so that the runs of equal ones need no memory.
 *
 * @param since windows that ended before it, in ms since the epoch, are those of a replay and left out.
 */
export function closedWindows(
  candles: Iterable<Pick<Candle, 'interval' | 'rebuildId' | 'revision' | 'windowEnd'>>,
  since: number,
): readonly ClosedWindows[] {
  const closed: ClosedWindows[] = []
  let last: ClosedWindows | undefined
  for (const { interval, windowEnd, revision, rebuildId } of candles) {
    if (revision !== 0 || rebuildId !== null || windowEnd < since) continue
    if (last?.windowEnd === windowEnd && last.interval === interval) continue
    last = { interval, windowEnd }
    closed.push(last)
  }
  return closed
}
