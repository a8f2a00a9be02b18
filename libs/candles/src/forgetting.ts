import type { FeedProgress } from './feed-progress.ts'
import type { InstrumentProgress } from './instrument-progress.ts'
import type { PartitionBooks } from './partition-books.ts'
import { isForgottenWindow } from './parent-windows.ts'

/**
 * Forgets the windows of a feed that are past the horizon and that no open gap holds: their records
 * leave the changelog, their sequences stay taken.
 */
export function forgetWindows(books: PartitionBooks, feed: FeedProgress): void {
  const { plan } = books
  const parentMs = plan.levels[0]?.parentMs ?? 0
  const until = Math.floor((feed.closedUntil - plan.horizonMs) / parentMs) * parentMs
  const isReleased = feed.gaps.release(feed.closedUntil - plan.gapSpanMs)
  if (until <= feed.forgottenUntil && !isReleased) return
  feed.forgottenUntil = Math.max(feed.forgottenUntil, until)
  for (const instrument of feed.instruments) forgetWindowsOf(books, instrument)
  const longestMs = plan.levels.at(-1)?.lengthMs ?? 0
  feed.gaps.forget(feed.forgottenUntil, longestMs)
}

function forgetWindowsOf(books: PartitionBooks, instrument: InstrumentProgress): void {
  const { plan } = books
  const { forgottenUntil } = instrument
  let isChanged = false
  const { gaps } = instrument.feed
  for (const [level, { windows }] of instrument.levels.entries()) {
    const lengthMs = plan.levels[level]?.lengthMs ?? 0
    let nextStart = forgottenUntil
    // Before those that are not forgotten the last window stays, and the last with trades: its means and its
    // close are what they go on from.
    let isLastWanted = true
    let isCloseWanted = level === 0
    for (const start of windows.startsBetween(0, forgottenUntil).toReversed()) {
      const isForgotten = isForgottenWindow(plan, instrument, level, start)
      // What a gap holds may have no window yet: one that comes goes on from here as well.
      if (!isForgotten || gaps.holds(instrument.instrumentId, start + lengthMs, nextStart)) {
        isLastWanted = true
        isCloseWanted = level === 0
      }
      nextStart = start
      if (!isForgotten) continue
      const window = level === 0 ? windows.get(start) : undefined
      if (window !== undefined) {
        instrument.forget(window)
        isChanged = true
      }
      const hasClose = window !== undefined && window.sums.tradeCount > 0
      const isAnchor = isLastWanted || (isCloseWanted && hasClose)
      isLastWanted = false
      if (hasClose) isCloseWanted = false
      if (isAnchor) continue
      windows.delete(start)
      books.markWindowsChanged(instrument)
    }
  }
  if (!isChanged) return
  instrument.trimCovered()
  books.markChanged(instrument)
}
