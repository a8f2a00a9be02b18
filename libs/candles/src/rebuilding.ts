import type { StoredWindow } from '@tickertape/market-model'
import type { InstrumentProgress } from './instrument-progress.ts'
import type { PartitionBooks } from './partition-books.ts'
import { isFinalWindow, isForgottenWindow, parentOf } from './parent-windows.ts'
import { askParentOf } from './window-closing.ts'

/** What is known of instruments besides their windows goes into empty books. */
export function inheritInstruments(into: PartitionBooks, from: PartitionBooks): void {
  for (const known of from.instruments.values()) {
    const instrument = into.announce(known.instrumentId, into.feed(known.feed.feedId), 0)
    instrument.completeFrom = known.completeFrom
    instrument.beganBefore = known.completeFrom !== null
    instrument.kind = known.kind
    instrument.quantityUnit = known.quantityUnit
  }
}

/**
 * Windows inside [fromTime, toTime) that had a candle take the place of the same ones here, or come in
 * where there was none, as long as their records are needed; windows above that reach beyond the range are
 * asked what they come to now.
 */
export function adoptWindows(
  books: PartitionBooks,
  rebuilt: PartitionBooks,
  rebuildId: number,
  range: { readonly fromTime: number; readonly toTime: number },
): void {
  for (const from of rebuilt.instruments.values()) {
    const instrument = books.instruments.get(from.instrumentId)
    if (instrument === undefined) continue
    for (const [level, { windows }] of from.levels.entries()) {
      const lengthMs = books.plan.levels[level]?.lengthMs ?? 0
      for (const window of windows.between(range.fromTime, range.toTime - lengthMs + 1)) {
        if (window.revision >= 0) adopt(books, instrument, level, { ...window, rebuildId }, range)
      }
    }
  }
}

function adopt(
  books: PartitionBooks,
  instrument: InstrumentProgress,
  level: number,
  window: StoredWindow,
  { fromTime, toTime }: { readonly fromTime: number; readonly toTime: number },
): void {
  const { plan } = books
  const own = instrument.levels[level]
  const { windowStart } = window.sums
  if (own === undefined || isForgottenWindow(plan, instrument, level, windowStart)) return
  const existing = own.windows.get(windowStart)
  own.windows.put(windowStart, {
    ...window,
    // The chain goes on as it was; the rebuilt candle has indicators of its own.
    means: existing?.means ?? instrument.chainBefore(own, windowStart),
    revisedMeans: window.revisedMeans ?? window.means,
  })
  if (existing === undefined && level === 0) instrument.index(window)
  books.markWindowsChanged(instrument)
  if (level === 0) books.updated(instrument, [windowStart])
  if (window.pending) {
    const end = windowStart + (plan.levels[level]?.lengthMs ?? 0)
    instrument.feed.agenda.add(end, level, instrument)
  }
  const parent = parentOf(plan, level, windowStart)
  if (parent === undefined || (parent.start >= fromTime && parent.end <= toTime)) return
  if (isFinalWindow(plan, instrument, parent.level, parent.start)) return
  const asking = {
    plan,
    windowsChanged: (changed: InstrumentProgress) => books.markWindowsChanged(changed),
  }
  askParentOf(asking, instrument, level, windowStart)
}
