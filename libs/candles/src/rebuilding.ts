import type { PartitionBooks } from './partition-books.ts'

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

/** Stored windows inside [fromTime, toTime) that had a candle take the place of the same ones here. */
export function adoptWindows(
  books: PartitionBooks,
  rebuilt: PartitionBooks,
  rebuildId: number,
  { fromTime, toTime }: { readonly fromTime: number; readonly toTime: number },
): void {
  for (const from of rebuilt.instruments.values()) {
    const instrument = books.instruments.get(from.instrumentId)
    if (instrument === undefined) continue
    for (const [level, { windows }] of from.levels.entries()) {
      const own = instrument.levels[level]?.windows
      const lengthMs = books.plan.levels[level]?.lengthMs ?? 0
      for (const window of windows.between(fromTime, toTime - lengthMs + 1)) {
        const existing = own?.get(window.sums.windowStart)
        if (window.revision < 0 || own === undefined || existing === undefined) continue
        own.put(window.sums.windowStart, {
          ...window,
          rebuildId,
          // The chain goes on as it was; the rebuilt candle has indicators of its own.
          means: existing.means,
          revisedMeans: window.revisedMeans ?? window.means,
        })
        books.markWindowsChanged(instrument)
        if (window.pending) {
          instrument.feed.agenda.add(window.sums.windowStart + lengthMs, level, instrument)
        }
      }
    }
  }
}
