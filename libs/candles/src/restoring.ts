import type { Interval, InstrumentState, PartitionState } from '@tickertape/market-model'
import type { PartitionBooks } from './partition-books.ts'
import { requireSameSettings } from './aggregation-settings.ts'
import { InstrumentProgress, lastTradesOf } from './instrument-progress.ts'
import { isForgottenWindow } from './parent-windows.ts'

/** A window's record in the changelog. */
export interface StoredWindowRecord {
  readonly instrumentId: string
  readonly interval: Interval
  readonly windowStart: number
  readonly value: Uint8Array
}

/** A partition's state as the changelog holds it. */
export interface ChangelogState {
  readonly partition: PartitionState | undefined
  readonly instruments: Iterable<InstrumentState>
  readonly windows: Iterable<StoredWindowRecord>
}

/**
 * Fills empty books.
 *
 * @throws AggregationSettingsError if the state was written with other settings.
 * @throws Error if a record is missing that others rely on.
 */
export function restoreBooks(books: PartitionBooks, state: ChangelogState): void {
  const { partition } = state
  if (partition !== undefined) restorePartition(books, partition)
  for (const recorded of state.instruments) {
    if (partition === undefined)
      throw lostRecords(`instrument ${recorded.instrumentId}`, 'its partition')
    const feed = books.feed(recorded.feedId)
    books.know(InstrumentProgress.restore(books.plan, books.packed, recorded, feed))
  }
  const levels = new Map(books.plan.levels.map(({ interval }, level) => [interval, level]))
  for (const { instrumentId, interval, windowStart, value } of state.windows) {
    const instrument = books.instruments.get(instrumentId)
    if (instrument === undefined) {
      throw lostRecords(`a window of ${instrumentId}`, 'the instrument')
    }
    const level = levels.get(interval)
    if (level !== undefined) instrument.levels[level]?.windows.restore(windowStart, value)
  }
  for (const instrument of books.instruments.values()) {
    restoreLowest(books, instrument)
    for (let level = 1; level < instrument.levels.length; level += 1) {
      restoreLevel(books, instrument, level)
    }
    if (instrument.joining) instrument.feed.joining.add(instrument)
    instrument.feed.enlist(instrument, instrument.nextParentEnd)
  }
}

function restorePartition(books: PartitionBooks, partition: PartitionState): void {
  requireSameSettings(books.plan, partition)
  for (const { feedId, upTo, closedUntil, forgottenUntil } of partition.watermarks) {
    const feed = books.feed(feedId)
    feed.upTo = upTo
    feed.closedUntil = closedUntil
    feed.forgottenUntil = forgottenUntil
  }
  for (const gap of partition.gaps) {
    books.feed(gap.feedId).gaps.put(gap)
  }
}

function restoreLowest(books: PartitionBooks, instrument: InstrumentProgress): void {
  const { plan, lowestMs } = books
  const [level] = instrument.levels
  if (level === undefined) return
  const { closedUntil, feed } = instrument
  for (const window of level.windows.between(0, Infinity)) {
    const { windowStart } = window.sums
    const end = windowStart + lowestMs
    if (!isForgottenWindow(plan, instrument, 0, windowStart)) instrument.index(window)
    else for (const { from, to } of window.sequences) instrument.seen.addRange(from, to)
    instrument.last = lastTradesOf(window) ?? instrument.last
    const isClosed = end <= closedUntil
    if (isClosed) level.chain = window.means
    if (window.pending || !isClosed) feed.agenda.add(end, 0, instrument)
  }
}

function restoreLevel(books: PartitionBooks, instrument: InstrumentProgress, index: number): void {
  const { plan } = books
  const level = instrument.levels[index]
  const children = instrument.levels[index - 1]?.windows
  const lengthMs = plan.levels[index]?.lengthMs ?? 0
  if (level === undefined || children === undefined) return
  const { closedUntil, feed } = instrument
  for (const { sums, pending, revision, means } of level.windows.between(0, Infinity)) {
    if (revision >= 0) level.chain = means
    if (pending) feed.agenda.add(sums.windowStart + lengthMs, index, instrument)
  }
  const openStart = Math.floor(closedUntil / lengthMs) * lengthMs
  let hasChild = index === 1 && instrument.active
  for (const { revision } of children.between(openStart, Infinity)) hasChild ||= revision >= 0
  if (hasChild) level.nextEnd = openStart + lengthMs
}

function lostRecords(what: string, without: string): Error {
  return new Error(
    `The changelog holds ${what} but no state of ${without}: it has lost records, rebuild the candles`,
  )
}
