import type { AggregationPlan } from './aggregation-settings.ts'
import type { KnownGap, StoredWindow } from '@tickertape/market-model'
import type { OpenWindow } from './open-window.ts'
import type { StoredWindowCodec } from './packed-windows.ts'
import { equalDecimals } from '@tickertape/market-model'
import { FeedProgress } from './feed-progress.ts'
import { InstrumentProgress, lastTradesOf } from './instrument-progress.ts'
import { PackedWindows } from './packed-windows.ts'
import { isFinalWindow, isForgottenWindow } from './parent-windows.ts'
import { emptyWindow, storedWindow } from './stored-trades.ts'
import { equalSums, flatSums } from './trade-sums.ts'
import { ownQuality } from './window-quality.ts'

/** All that is known of one partition, and what of it the changelog does not hold yet. */
export class PartitionBooks {
  readonly plan: AggregationPlan
  /** Stored windows of all instruments. */
  readonly packed: PackedWindows
  readonly lowestMs: number
  readonly feeds = new Map<string, FeedProgress>()
  readonly instruments = new Map<string, InstrumentProgress>()
  /** The same instruments by venue and the venue's name: no instrumentId is built for a trade. */
  readonly #byVenue = new Map<string, Map<string, InstrumentProgress>>()
  changed: InstrumentProgress[] = []
  windowsChanged: InstrumentProgress[] = []
  /** Instruments that took trades since the last candles in progress. */
  live: InstrumentProgress[] = []
  openWindows = 0
  /** Trades in open windows. */
  openTrades = 0

  constructor(plan: AggregationPlan, codec: StoredWindowCodec) {
    this.plan = plan
    this.packed = new PackedWindows(codec)
    this.lowestMs = plan.levels[0]?.lengthMs ?? 0
  }

  find(venue: string, name: string): InstrumentProgress | undefined {
    return this.#byVenue.get(venue)?.get(name)
  }

  feed(feedId: string): FeedProgress {
    let feed = this.feeds.get(feedId)
    if (feed === undefined) {
      feed = new FeedProgress(feedId)
      this.feeds.set(feedId, feed)
    }
    return feed
  }

  /** An instrument that was not known before. */
  announce(instrumentId: string, feed: FeedProgress, offset: number): InstrumentProgress {
    const instrument = new InstrumentProgress(this.plan, this.packed, instrumentId, feed, offset)
    this.know(instrument)
    this.markChanged(instrument)
    return instrument
  }

  know(instrument: InstrumentProgress): void {
    const { instrumentId } = instrument
    this.instruments.set(instrumentId, instrument)
    instrument.feed.instruments.add(instrument)
    // A venue's name has no colon, an instrument's may have.
    const colon = instrumentId.indexOf(':')
    const venue = instrumentId.slice(0, colon)
    let ofVenue = this.#byVenue.get(venue)
    if (ofVenue === undefined) {
      ofVenue = new Map()
      this.#byVenue.set(venue, ofVenue)
    }
    ofVenue.set(instrumentId.slice(colon + 1), instrument)
  }

  markChanged(instrument: InstrumentProgress): void {
    if (instrument.changed) return
    instrument.changed = true
    this.changed.push(instrument)
  }

  markWindowsChanged(instrument: InstrumentProgress): void {
    if (instrument.windowsChanged) return
    instrument.windowsChanged = true
    this.windowsChanged.push(instrument)
  }

  /** What the instrument has closed stays closed; the other feed's watermark speaks for it from its next heartbeat on. */
  move(instrument: InstrumentProgress, feedId: string): void {
    const { closedUntil, forgottenUntil, feed } = instrument
    instrument.ownClosedUntil = closedUntil
    instrument.ownForgottenUntil = forgottenUntil
    instrument.feed = this.feed(feedId)
    feed.release(instrument, instrument.feed)
    instrument.joining = true
    instrument.feed.joining.add(instrument)
    instrument.feed.enlist(instrument, instrument.nextParentEnd)
    this.markChanged(instrument)
  }

  /**
   * Sets an open window aside in the changelog: from here on a replay has nothing to do with it. Its
   * candle does not change.
   */
  park(window: OpenWindow): StoredWindow {
    const { instrument, start, end } = window
    const stored = storedWindow(window)
    instrument.feed.removeWindow(window)
    instrument.leaveMemory(window)
    this.windowClosed(window)
    instrument.index({ ...stored, sequences: [] })
    instrument.lowest.put(start, stored)
    instrument.feed.agenda.add(end, 0, instrument)
    this.markWindowsChanged(instrument)
    return stored
  }

  windowClosed(window: OpenWindow): void {
    this.openWindows -= 1
    this.openTrades -= window.trades.length
  }

  /** The stored window that begins there, or one that nothing is in yet. */
  storedOrEmpty(instrument: InstrumentProgress, start: number): StoredWindow {
    const [level] = instrument.levels
    return (
      instrument.lowest.get(start) ?? {
        ...emptyWindow,
        sums: { ...emptyWindow.sums, windowStart: start },
        inverse: instrument.isInverse,
        means: level === undefined ? [] : instrument.chainBefore(level, start),
      }
    )
  }

  /** A stored window of the lowest interval comes to something else, or knows other trades. */
  update(instrument: InstrumentProgress, before: StoredWindow, after: StoredWindow): void {
    const { windowStart } = after.sums
    const end = windowStart + this.lowestMs
    const isClosed = end <= instrument.closedUntil
    let next = after
    if (isClosed) {
      const sums = { ...after.sums, quality: ownQuality(instrument, after.sums, end) }
      const isNew = before.revision < 0 && before.sums.tradeCount === 0
      const differs = isNew ? sums.tradeCount > 0 : !equalSums(before.sums, sums)
      next = { ...after, sums, pending: before.pending || differs }
    }
    this.#put(instrument, next, !isClosed || next.pending)
  }

  /** After the updates of one record: what other windows take from those that begin there. */
  updated(instrument: InstrumentProgress, starts: readonly number[]): void {
    for (const start of starts) this.#refreshLast(instrument, start)
    for (const start of starts) this.#refreshTakenBack(instrument, start)
    this.#refreshFirst(instrument)
  }

  /** Gaps that touch a window of the lowest interval may give it another quality. */
  refreshQuality(instrument: InstrumentProgress, start: number): void {
    const end = start + this.lowestMs
    const window = instrument.lowest.get(start)
    if (window === undefined || end > instrument.closedUntil) return
    if (window.revision < 0 && !window.pending) return
    if (isForgottenWindow(this.plan, instrument, 0, start)) return
    const quality = ownQuality(instrument, window.sums, end)
    if (quality === window.sums.quality) return
    this.#put(instrument, { ...window, sums: { ...window.sums, quality }, pending: true }, true)
  }

  /** A gap was announced, or filled: closed windows that it touches are asked again. */
  refreshGap(
    instrument: InstrumentProgress,
    { fromTime, toTime }: Pick<KnownGap, 'fromTime' | 'toTime'>,
  ): void {
    for (const [index, { lengthMs }] of this.plan.levels.entries()) {
      const { windows } = instrument.levels[index] ?? {}
      for (const start of windows?.startsBetween(fromTime - lengthMs + 1, toTime) ?? []) {
        if (index === 0) this.refreshQuality(instrument, start)
        else this.#askParent(instrument, index, start, start + lengthMs)
      }
    }
  }

  #askParent(instrument: InstrumentProgress, level: number, start: number, end: number): void {
    const windows = instrument.levels[level]?.windows
    const window = windows?.get(start)
    if (windows === undefined || window === undefined || window.revision < 0) return
    if (isFinalWindow(this.plan, instrument, level, start)) return
    if (!window.pending) windows.put(start, { ...window, pending: true })
    this.markWindowsChanged(instrument)
    instrument.feed.agenda.add(end, level, instrument)
  }

  #put(instrument: InstrumentProgress, window: StoredWindow, isAsked: boolean): void {
    const { windowStart } = window.sums
    instrument.lowest.put(windowStart, window)
    this.markWindowsChanged(instrument)
    if (isAsked) instrument.feed.agenda.add(windowStart + this.lowestMs, 0, instrument)
  }

  /** Candles whose trades were all taken back are flat at the close before them, which is another now. */
  #refreshTakenBack(instrument: InstrumentProgress, start: number): void {
    for (const window of instrument.lowest.between(start, instrument.closedUntil)) {
      const { windowStart, tradeCount, close, quality } = window.sums
      if (windowStart === start && tradeCount > 0) continue
      if (tradeCount > 0 || windowStart + this.lowestMs > instrument.closedUntil) return
      const price = instrument.lastTradesBefore(windowStart)?.close
      if (window.revision < 0 || price === undefined || equalDecimals(price, close)) continue
      if (isForgottenWindow(this.plan, instrument, 0, windowStart)) continue
      const sums = { ...flatSums(windowStart, price), quality }
      this.#put(instrument, { ...window, sums, pending: true }, true)
    }
  }

  #refreshLast(instrument: InstrumentProgress, start: number): void {
    if (instrument.last !== null && start < instrument.last.start) return
    instrument.last = null
    for (const window of instrument.lowest.before(Infinity)) {
      instrument.last = lastTradesOf(window) ?? null
      if (instrument.last !== null) return
    }
  }

  /** The instrument's first window with trades is another one now, unless it is forgotten. */
  #refreshFirst(instrument: InstrumentProgress): void {
    const { lowestMs } = this
    const before = instrument.completeFrom
    if (instrument.beganBefore) return
    if (before !== null && isForgottenWindow(this.plan, instrument, 0, before - lowestMs)) return
    let first: number | null = null
    for (const { sums } of instrument.lowest.between(0, instrument.closedUntil)) {
      if (sums.tradeCount === 0 || sums.windowStart + lowestMs > instrument.closedUntil) continue
      first = sums.windowStart + lowestMs
      break
    }
    if (first === before) return
    instrument.completeFrom = first
    this.markChanged(instrument)
    const from = Math.min(first ?? Infinity, before ?? Infinity) - lowestMs
    const to = Math.max(first ?? Infinity, before ?? 0)
    for (const start of instrument.lowest.startsBetween(from, to)) {
      this.refreshQuality(instrument, start)
    }
  }
}
