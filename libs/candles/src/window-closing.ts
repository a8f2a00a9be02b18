import type { Candle, StoredWindow, WindowSums } from '@tickertape/market-model'
import type { AggregationPlan } from './aggregation-settings.ts'
import type { CountedTrade, LoggedTrade } from './counted-trade.ts'
import type { FeedProgress } from './feed-progress.ts'
import type { Means } from './indicator-means.ts'
import type { InstrumentProgress } from './instrument-progress.ts'
import type { OpenWindow } from './open-window.ts'
import type { ParentWindow } from './parent-windows.ts'
import { candleOf } from './candle-of.ts'
import { indicatorValues, meansAfter, meansOfPrices } from './indicator-means.ts'
import { lastTradesOf } from './instrument-progress.ts'
import { contentOf, isFinalWindow, parentOf } from './parent-windows.ts'
import { equalSums, flatSums } from './trade-sums.ts'
import { ownQuality } from './window-quality.ts'
import { emptyWindow, storedWindow, tradesOf } from './stored-trades.ts'

/** Candles of one step, and how the rest of the aggregation learns what changed. */
export interface Closing {
  readonly plan: AggregationPlan
  readonly candles: Candle[]
  /** Trades of stored windows, where means of prices need them. */
  readonly logged: readonly LoggedTrade[]
  readonly changed: (instrument: InstrumentProgress) => void
  readonly windowsChanged: (instrument: InstrumentProgress) => void
  readonly windowClosed: (window: OpenWindow) => void
}

/** What putting a window on the agenda needs. */
type Asking = Pick<Closing, 'plan' | 'windowsChanged'>

/**
 * Emits the candles of a feed's windows that end at or before `target`, of those that close and those
 * that are revised, in (windowEnd, interval, instrumentId) order, until enough for one step are there.
 *
 * @returns whether windows up to `target` are left for the next step.
 */
export function closeWindows(closing: Closing, feed: FeedProgress, target: number): boolean {
  for (;;) {
    const end = feed.nextEnd
    if (end > target) break
    if (closing.candles.length >= closing.plan.maxCandlesPerStep) return true
    askLowest(closing, feed, end)
    askParents(closing, feed, end)
    feed.agenda.done(end)
    feed.closedUntil = Math.max(feed.closedUntil, end)
    for (const instrument of feed.joining) {
      instrument.ownClosedUntil = Math.max(instrument.ownClosedUntil, end)
      closing.changed(instrument)
    }
  }
  feed.closedUntil = Math.max(feed.closedUntil, target)
  return false
}

function askLowest(closing: Closing, feed: FeedProgress, end: number): void {
  const open = feed.takeWindowsEndingAt(end)
  const stored = [...feed.agenda.take(end, 0)]
  const all: { readonly instrument: InstrumentProgress; readonly window?: OpenWindow }[] = open.map(
    (window) => ({ instrument: window.instrument, window }),
  )
  for (const instrument of stored) all.push({ instrument })
  all.sort((a, b) => compareIds(a.instrument, b.instrument))
  for (const { instrument, window } of all) {
    if (window === undefined) askStored(closing, instrument, end)
    else closeOpen(closing, window)
  }
}

function closeOpen(closing: Closing, window: OpenWindow): void {
  const { instrument, end } = window
  const stored = storedWindow(window)
  instrument.leaveMemory(window)
  closing.windowClosed(window)
  instrument.index({ ...stored, sequences: [] })
  closeLowest(closing, instrument, stored, end, window.trades)
}

/** A window of the lowest interval that is stored: set aside while it was open, or changed since it closed. */
function askStored(closing: Closing, instrument: InstrumentProgress, end: number): void {
  const { plan } = closing
  const start = end - (plan.levels[0]?.lengthMs ?? 0)
  const window = instrument.lowest.get(start)
  if (window === undefined) return
  if (window.pending) reviseLowest(closing, instrument, window, end)
  else if (window.revision < 0) {
    const trades = plan.hasPriceMeans ? tradesOf(plan, instrument, window, closing.logged) : []
    closeLowest(closing, instrument, window, end, trades)
  }
}

/** The first candle of a window of the lowest interval; none without trades. */
function closeLowest(
  closing: Closing,
  instrument: InstrumentProgress,
  window: StoredWindow,
  end: number,
  trades: readonly CountedTrade[],
): void {
  const { plan } = closing
  const [level] = instrument.levels
  if (level === undefined) return
  const { windowStart, tradeCount, close } = window.sums
  if (tradeCount === 0) {
    store(closing, instrument, 0, { ...window, means: level.chain })
    return
  }
  if (instrument.completeFrom === null) {
    instrument.completeFrom = end
    closing.changed(instrument)
  }
  const sums = { ...window.sums, quality: ownQuality(instrument, window.sums, end) }
  const means = meansAfter(plan, level.chain, close, end, meansOfPrices(plan, level.chain, trades))
  level.chain = means
  const closed = { ...window, sums, revision: 0, means }
  const isLast = instrument.last === null || instrument.last.start < windowStart
  if (isLast) instrument.last = lastTradesOf(closed) ?? null
  emit(closing, instrument, 0, end, closed)
  askParentOf(closing, instrument, 0, windowStart)
}

/** The next candle of a closed window of the lowest interval. */
function reviseLowest(
  closing: Closing,
  instrument: InstrumentProgress,
  window: StoredWindow,
  end: number,
): void {
  const { plan } = closing
  const [level] = instrument.levels
  const { windowStart, tradeCount, quality } = window.sums
  if (level === undefined) return
  if (tradeCount === 0 && window.revision < 0) {
    store(closing, instrument, 0, { ...window, pending: false })
    return
  }
  let sums: WindowSums = window.sums
  if (tradeCount === 0) {
    const price = instrument.lastTradesBefore(windowStart)?.close ?? sums.close
    sums = { ...flatSums(windowStart, price), quality }
  }
  const before = instrument.chainBefore(level, windowStart)
  const prices = window.revisedMeans ?? window.means
  const revisedMeans = meansAfter(plan, before, sums.close, end, prices)
  const revision = Math.max(window.revision, 0) + 1
  emit(closing, instrument, 0, end, { ...window, sums, revision, pending: false, revisedMeans })
  askParentOf(closing, instrument, 0, windowStart)
  askFlatMinutesAfter(closing, instrument, windowStart)
}

/** A window has a candle that it did not have before: so its parent may have another one too. */
export function askParentOf(
  closing: Asking,
  instrument: InstrumentProgress,
  level: number,
  start: number,
): void {
  const parent = parentOf(closing.plan, level, start)
  if (parent === undefined) return
  if (parent.end <= instrument.closedUntil) askAgain(closing, instrument, parent)
  else expect(instrument, parent.level, parent.end)
}

/** Puts a closed window of an interval above the lowest on the agenda, and creates it if need be. */
function askAgain(closing: Asking, instrument: InstrumentProgress, window: ParentWindow): void {
  const { level, start, end } = window
  const windows = instrument.levels[level]?.windows
  if (windows === undefined) return
  const existing = windows.get(start)
  if (existing?.pending !== true) {
    const asked = existing ?? { ...emptyWindow, sums: { ...emptyWindow.sums, windowStart: start } }
    store(closing, instrument, level, { ...asked, pending: true })
  }
  instrument.feed.agenda.add(end, level, instrument)
}

/** The minutes that follow a revised window may be flat at another price, or for the first time. */
function askFlatMinutesAfter(
  closing: Closing,
  instrument: InstrumentProgress,
  start: number,
): void {
  const { plan } = closing
  const minute = parentOf(plan, 0, start)
  const minutes = instrument.levels[1]
  if (minute === undefined || minutes === undefined || minute.end > instrument.closedUntil) return
  const lengthMs = minute.end - minute.start
  const nextStart = nextWithTrades(instrument, start)
  // A later window of the same minute decides what comes after it.
  if (nextStart < minute.end) return
  let next = minute.end
  for (; next + lengthMs <= instrument.closedUntil; next += lengthMs) {
    if (nextStart < next + lengthMs) return
    // Behind what a gap holds may lie minutes that take no more changes, and then some that do.
    if (isFinalWindow(plan, instrument, 1, next)) continue
    askAgain(closing, instrument, { level: 1, start: next, end: next + lengthMs })
  }
  if (!instrument.active) {
    instrument.active = true
    closing.changed(instrument)
  }
  expect(instrument, 1, next + lengthMs)
}

function nextWithTrades(instrument: InstrumentProgress, after: number): number {
  for (const { sums } of instrument.lowest.between(after + 1, Infinity)) {
    if (sums.tradeCount > 0) return sums.windowStart
  }
  return Infinity
}

/** The window of an interval that ends there must be looked at when its time has come. */
function expect(instrument: InstrumentProgress, level: number, end: number): void {
  const progress = instrument.levels[level]
  if (progress === undefined) return
  progress.nextEnd = Math.min(progress.nextEnd, end)
  instrument.feed.enlist(instrument, end)
}

function askParents(closing: Closing, feed: FeedProgress, end: number): void {
  const { levels } = closing.plan
  const isExpected = end >= feed.nextParentEnd
  const roster = isExpected ? feed.roster.sort(compareIds) : []
  for (let level = 1; level < levels.length; level += 1) {
    const lengthMs = levels[level]?.lengthMs ?? 0
    if (end % lengthMs !== 0) break
    const asked = [...feed.agenda.take(end, level)]
    const due = roster.filter((instrument) => instrument.levels[level]?.nextEnd === end)
    const all = asked.length === 0 ? due : [...new Set([...due, ...asked])].sort(compareIds)
    for (const instrument of all) {
      askParent(closing, instrument, { level, start: end - lengthMs, end })
    }
  }
  if (!isExpected) return
  feed.roster = []
  feed.nextParentEnd = Infinity
  for (const instrument of roster) {
    instrument.enlisted = false
    feed.enlist(instrument, instrument.nextParentEnd)
  }
}

/** A window above the lowest interval closes, or was closed and is asked what it comes to now. */
function askParent(closing: Closing, instrument: InstrumentProgress, window: ParentWindow): void {
  const { plan } = closing
  const { level, start, end } = window
  const progress = instrument.levels[level]
  if (progress === undefined) return
  const closes = progress.nextEnd === end
  if (closes) progress.nextEnd = Infinity
  const existing = progress.windows.get(start)
  const content = contentOf(plan, instrument, window, existing)
  if (content === undefined) {
    if (existing !== undefined) remove(closing, instrument, level, start)
    if (closes && level === 1 && instrument.active) {
      instrument.active = false
      closing.changed(instrument)
    }
    return
  }
  if (closes && level === 1) {
    if (!instrument.active) closing.changed(instrument)
    instrument.active = true
    expect(instrument, 1, end + (end - start))
  }
  const { sums, inverse, priceMeans } = content
  if (existing !== undefined && existing.revision >= 0 && equalSums(existing.sums, sums)) {
    if (existing.pending) store(closing, instrument, level, { ...existing, pending: false })
    return
  }
  const isFirst = existing === undefined || existing.revision < 0
  const before = closes && isFirst ? progress.chain : instrument.chainBefore(progress, start)
  const after = meansAfter(plan, before, sums.close, end, priceMeans ?? before)
  const stored = { ...(existing ?? emptyWindow), sums, inverse, pending: false }
  if (closes && isFirst) {
    progress.chain = after
    emit(closing, instrument, level, end, { ...stored, revision: 0, means: after })
  } else {
    const means: Means = isFirst ? before : stored.means
    const revision = Math.max(stored.revision, 0) + 1
    emit(closing, instrument, level, end, { ...stored, revision, means, revisedMeans: after })
  }
  askParentOf(closing, instrument, level, start)
}

function emit(
  closing: Closing,
  instrument: InstrumentProgress,
  level: number,
  windowEnd: number,
  window: StoredWindow,
): void {
  const { plan, candles } = closing
  const interval = plan.levels[level]?.interval
  if (interval === undefined) return
  store(closing, instrument, level, window)
  const { sums, inverse, revision, rebuildId, means, revisedMeans } = window
  candles.push(
    candleOf(sums, {
      instrumentId: instrument.instrumentId,
      interval,
      windowEnd,
      inverse,
      indicators: indicatorValues(plan, revisedMeans ?? means),
      revision,
      final: true,
      rebuildId,
    }),
  )
}

function store(
  closing: Asking,
  instrument: InstrumentProgress,
  level: number,
  window: StoredWindow,
): void {
  instrument.levels[level]?.windows.put(window.sums.windowStart, window)
  closing.windowsChanged(instrument)
}

function remove(
  closing: Closing,
  instrument: InstrumentProgress,
  level: number,
  start: number,
): void {
  instrument.levels[level]?.windows.delete(start)
  closing.windowsChanged(instrument)
}

function compareIds(a: InstrumentProgress, b: InstrumentProgress): number {
  return a.instrumentId < b.instrumentId ? -1 : a.instrumentId > b.instrumentId ? 1 : 0
}
