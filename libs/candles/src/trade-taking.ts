import type { OffsetRange, StoredWindow } from '@tickertape/market-model'
import type { CountedTrade, LoggedTrade } from './counted-trade.ts'
import type { InstrumentProgress } from './instrument-progress.ts'
import type { KnownTrade } from './known-trade.ts'
import type { PartitionBooks } from './partition-books.ts'
import { instrumentIdOf } from '@tickertape/market-model'
import { isSameTrade, saysTheSame } from './counted-trade.ts'
import { hashOfId } from './id-index.ts'
import { meansOfPrices } from './indicator-means.ts'
import { findKnown, windowOf } from './known-trade.ts'
import { mergeRanges } from './offset-ranges.ts'
import { OpenWindow } from './open-window.ts'
import { isForgottenWindow } from './parent-windows.ts'
import { tradesOf, withIdentity, withRecord, withTrades, withoutIdentity } from './stored-trades.ts'
import { isCountable, isFromFuture } from './trade-checks.ts'

/**
 * What became of a trade. `revised`: it changed a closed window. `superseded`: a higher version of it is
 * known. `uncounted`: it is remembered, but not confirmed.
 */
export type TradeOutcome =
  | 'accepted'
  | 'revised'
  | 'duplicate'
  | 'conflict'
  | 'superseded'
  | 'late'
  | 'future'
  | 'invalid'
  | 'uncounted'

/** A trade as it was read. */
interface Taken {
  readonly trade: CountedTrade
  readonly offset: number
  /** Records that were asked for; undefined if none were yet. */
  readonly logged: readonly LoggedTrade[] | undefined
  /** Read again after a restore: stored windows have it already. */
  readonly isReplay: boolean
}

/** A lower version that a record replaces. */
type Replaced =
  | { readonly kind: 'open'; readonly window: OpenWindow; readonly trade: CountedTrade }
  | { readonly kind: 'stored'; readonly window: StoredWindow; readonly trade: CountedTrade }

/**
 * Puts a trade where it belongs.
 *
 * @returns what became of it; or, if nothing did yet, the ranges of the log that must be read again.
 */
export function takeTrade(
  books: PartitionBooks,
  taken: Taken,
): TradeOutcome | readonly OffsetRange[] {
  const { trade } = taken
  const { plan, lowestMs } = books
  if (isFromFuture(trade.eventTime, trade, plan)) return 'future'
  const instrument = books.find(trade.venue, trade.instrument)
  if (!isCountable(trade, instrument?.kind ?? null)) return 'invalid'
  if (instrument === undefined) return takeFirst(books, taken)
  const known = findKnown(instrument, trade, lowestMs)
  if (known.kind === 'unknown') return place(books, instrument, taken, undefined)
  return takeKnown(books, instrument, taken, known)
}

function takeFirst(books: PartitionBooks, taken: Taken): TradeOutcome | readonly OffsetRange[] {
  const { trade, offset, isReplay } = taken
  const { plan, lowestMs } = books
  const feed = books.feed(trade.feedId)
  const start = Math.floor(trade.eventTime / lowestMs) * lowestMs
  if (start + lowestMs <= feed.closedUntil) {
    const parentMs = plan.levels[0]?.parentMs ?? lowestMs
    const parentStart = Math.floor(start / parentMs) * parentMs
    const parentEnd = parentStart + parentMs
    const instrumentId = instrumentIdOf(trade)
    const isForgotten =
      parentEnd <= feed.forgottenUntil && !feed.gaps.holds(instrumentId, parentStart, parentEnd)
    if (isForgotten || isReplay) return 'late'
  }
  const instrument = books.announce(instrumentIdOf(trade), feed, offset)
  return place(books, instrument, taken, undefined)
}

function takeKnown(
  books: PartitionBooks,
  instrument: InstrumentProgress,
  taken: Taken,
  known: Exclude<KnownTrade, { readonly kind: 'unknown' }>,
): TradeOutcome | readonly OffsetRange[] {
  const { trade, logged, isReplay } = taken
  const ownStart = startOf(books, trade)
  if (known.kind === 'covered') {
    setAside(books, instrument, ownStart)
    return trade.version === 0 && trade.status === 'confirmed' ? 'duplicate' : 'late'
  }
  if (known.kind === 'open') {
    const outcome = againstKnown(trade, known.trade)
    if (known.window.start !== ownStart) setAside(books, instrument, ownStart)
    return outcome ?? place(books, instrument, taken, known)
  }
  // A record that has to do with a stored window has set its own aside: a replay never comes here but
  // for another id with the same hash.
  if (isReplay) return place(books, instrument, taken, undefined)
  const { plan } = books
  const held = known.windows.filter(
    ({ sums }) => !isForgottenWindow(plan, instrument, 0, sums.windowStart),
  )
  if (held.length === 0) {
    setAside(books, instrument, ownStart)
    return 'late'
  }
  if (logged === undefined)
    return rangesOf([...held, ...ownWindowForPrices(books, instrument, trade)])
  for (const window of held) {
    const found = tradesOf(plan, instrument, window, logged).find((other) =>
      isSameTrade(other, trade),
    )
    if (found === undefined) continue
    const outcome = againstKnown(trade, found)
    if (window.sums.windowStart !== ownStart) setAside(books, instrument, ownStart)
    return outcome ?? place(books, instrument, taken, { kind: 'stored', window, trade: found })
  }
  setAside(books, instrument, ownStart)
  return place(books, instrument, taken, undefined)
}

/** undefined: the record is a higher version. */
function againstKnown(trade: CountedTrade, known: CountedTrade): TradeOutcome | undefined {
  if (trade.version > known.version) return undefined
  if (trade.version < known.version) return 'superseded'
  return saysTheSame(trade, known) ? 'duplicate' : 'conflict'
}

/** Into its window, in place of the lower version. */
function place(
  books: PartitionBooks,
  instrument: InstrumentProgress,
  taken: Taken,
  replaced: Replaced | undefined,
): TradeOutcome | readonly OffsetRange[] {
  const { trade, offset, isReplay, logged } = taken
  const { plan, lowestMs } = books
  const open = windowOf(instrument, trade.eventTime, lowestMs)
  if (open !== undefined && (replaced === undefined || replaced.kind === 'open')) {
    if (replaced === undefined || replaced.window === open) {
      if (replaced !== undefined) takeOut(books, replaced.window, replaced.trade)
      follow(books, instrument, trade, isReplay)
      addOpen(books, open, trade, offset)
      return trade.status === 'confirmed' ? 'accepted' : 'uncounted'
    }
  }
  const start = startOf(books, trade)
  const isClosed = start + lowestMs <= instrument.closedUntil
  if (isClosed && isForgottenWindow(plan, instrument, 0, start)) return 'late'
  if (!isClosed && replaced === undefined && !instrument.lowest.has(start)) {
    follow(books, instrument, trade, isReplay)
    openWindow(books, instrument, trade, start, offset)
    return trade.status === 'confirmed' ? 'accepted' : 'uncounted'
  }
  // Stored windows were brought up to date before the restore.
  if (isReplay) return 'duplicate'
  if (logged === undefined) {
    const wanted = ownWindowForPrices(books, instrument, trade)
    if (wanted.length > 0) return rangesOf(wanted)
  }
  const wasClosed = replaced !== undefined && takeBack(books, instrument, replaced, start, logged)
  // The correction of a trade is in two windows now, or in one that is stored.
  if (open !== undefined) setAside(books, instrument, start)
  addStored(books, instrument, taken, start, replaced)
  const former = replaced === undefined ? [] : [startOf(books, replaced.trade)]
  books.updated(instrument, [...former, start])
  if (trade.status !== 'confirmed') return 'uncounted'
  follow(books, instrument, trade, false)
  return isClosed || wasClosed ? 'revised' : 'accepted'
}

/**
 * Takes the lower version out of its window, unless that is the one that the higher version goes into
 * and that is stored: there one is put in the other's place.
 *
 * @returns whether its window is closed.
 */
function takeBack(
  books: PartitionBooks,
  instrument: InstrumentProgress,
  replaced: Replaced,
  intoStart: number,
  logged: readonly LoggedTrade[] = [],
): boolean {
  const { plan, lowestMs } = books
  const { trade } = replaced
  if (replaced.kind === 'open') {
    takeOut(books, replaced.window, trade)
    books.park(replaced.window)
    return false
  }
  const { window } = replaced
  const { windowStart } = window.sums
  if (windowStart !== intoStart) {
    const left = tradesOf(plan, instrument, window, logged).filter(
      (other) => !isSameTrade(other, trade),
    )
    const without = withTrades(withoutIdentity(window, trade), left)
    const revisedMeans = pricesOf(books, instrument, without, left)
    books.update(instrument, window, { ...without, revisedMeans })
    if (trade.sequence === null) {
      instrument.storedIds.delete(hashOfId(trade.tradeId), windowStart)
    }
  }
  return windowStart + lowestMs <= instrument.closedUntil
}

function addStored(
  books: PartitionBooks,
  instrument: InstrumentProgress,
  { trade, offset, logged = [] }: Taken,
  start: number,
  replaced: Replaced | undefined,
): void {
  const { plan } = books
  const before = books.storedOrEmpty(instrument, start)
  if (replaced?.kind === 'stored' && replaced.window.sums.windowStart === start) {
    const others = tradesOf(plan, instrument, before, logged).filter(
      (other) => !isSameTrade(other, trade),
    )
    const trades = [...others, trade]
    const offsets = mergeRanges([...before.offsets, { from: offset, to: offset }])
    const after = withTrades({ ...before, offsets }, trades)
    const revisedMeans = pricesOf(books, instrument, after, trades)
    books.update(instrument, before, { ...after, revisedMeans })
    return
  }
  if (trade.sequence === null) instrument.storedIds.add(hashOfId(trade.tradeId), start)
  else see(books, instrument, trade.sequence)
  if (trade.status !== 'confirmed') {
    books.update(instrument, before, withIdentity(before, trade, offset))
    return
  }
  const after = withRecord(before, trade, offset)
  const trades = plan.hasPriceMeans ? tradesOf(plan, instrument, before, logged) : []
  const revisedMeans = pricesOf(books, instrument, after, [...trades, trade])
  books.update(instrument, before, { ...after, revisedMeans })
}

/** Means of prices of a closed window that is revised; other means are made with its candle. */
function pricesOf(
  { plan, lowestMs }: PartitionBooks,
  instrument: InstrumentProgress,
  { sums, revisedMeans }: StoredWindow,
  trades: readonly CountedTrade[],
): StoredWindow['revisedMeans'] {
  const [level] = instrument.levels
  const isOpen = sums.windowStart + lowestMs > instrument.closedUntil
  if (!plan.hasPriceMeans || level === undefined || isOpen) return revisedMeans
  return meansOfPrices(plan, instrument.chainBefore(level, sums.windowStart), trades)
}

/** Where means of prices are wanted, a closed window's trades are needed and not only its sums. */
function ownWindowForPrices(
  books: PartitionBooks,
  instrument: InstrumentProgress,
  trade: CountedTrade,
): readonly StoredWindow[] {
  const start = startOf(books, trade)
  if (!books.plan.hasPriceMeans || start + books.lowestMs > instrument.closedUntil) return []
  const window = instrument.lowest.get(start)
  return window === undefined || window.offsets.length === 0 ? [] : [window]
}

/**
 * What a record says depends on another window than its own. If its own is open it is set aside, for
 * a replay could not ask the other one again: it may have been forgotten by then.
 */
function setAside(books: PartitionBooks, instrument: InstrumentProgress, start: number): void {
  if (start + books.lowestMs <= instrument.closedUntil || instrument.lowest.has(start)) return
  const open = instrument.openWindows.get(start)
  if (open !== undefined) {
    books.park(open)
    return
  }
  const empty = books.storedOrEmpty(instrument, start)
  books.update(instrument, empty, empty)
}

function openWindow(
  books: PartitionBooks,
  instrument: InstrumentProgress,
  trade: CountedTrade,
  start: number,
  offset: number,
): void {
  const window = new OpenWindow(instrument, start, start + books.lowestMs, offset)
  instrument.openWindows.set(start, window)
  instrument.recent = window
  instrument.feed.addWindow(window)
  books.openWindows += 1
  addOpen(books, window, trade, offset)
}

function addOpen(
  books: PartitionBooks,
  window: OpenWindow,
  trade: CountedTrade,
  offset: number,
): void {
  const { instrument } = window
  window.add(trade, offset)
  books.openTrades += 1
  if (trade.sequence === null) instrument.openIds.set(trade.tradeId, trade)
  else see(books, instrument, trade.sequence)
  if (instrument.live) return
  instrument.live = true
  books.live.push(instrument)
}

function takeOut(books: PartitionBooks, window: OpenWindow, trade: CountedTrade): void {
  window.remove(trade)
  books.openTrades -= 1
  if (trade.sequence === null) window.instrument.openIds.delete(trade.tradeId)
}

/** A sequence was taken: it may fill a gap, which changes the quality of windows that are closed. */
function see(books: PartitionBooks, instrument: InstrumentProgress, sequence: number): void {
  const { seen, feed } = instrument
  const wasSeen = !feed.gaps.isEmpty && seen.has(sequence)
  seen.add(sequence)
  if (feed.gaps.isEmpty || wasSeen) return
  for (const gap of feed.gaps.filledBy(instrument, sequence)) books.refreshGap(instrument, gap)
}

/** An instrument belongs to the feed that its latest trade came through. */
function follow(
  books: PartitionBooks,
  instrument: InstrumentProgress,
  trade: CountedTrade,
  isReplay: boolean,
): void {
  // Before a restore the change of feed was recorded: the state has the feed that followed.
  if (trade.feedId === instrument.feed.feedId || isReplay) return
  if (trade.status === 'confirmed') books.move(instrument, trade.feedId)
}

function startOf({ lowestMs }: PartitionBooks, { eventTime }: CountedTrade): number {
  return Math.floor(eventTime / lowestMs) * lowestMs
}

function rangesOf(windows: readonly StoredWindow[]): readonly OffsetRange[] {
  return mergeRanges(windows.flatMap(({ offsets }) => offsets))
}
