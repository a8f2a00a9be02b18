import type {
  Candle,
  FeedHeartbeat,
  FeedWatermark,
  InstrumentState,
  InstrumentStatus,
  Interval,
  OffsetRange,
  PartitionState,
  RebuildProgress,
  SequenceGap,
} from '@tickertape/market-model'
import type { AggregationSettings } from './aggregation-settings.ts'
import type { AggregationEvent, CountedTrade, LoggedTrade } from './counted-trade.ts'
import type { FeedProgress } from './feed-progress.ts'
import type { ChangelogState } from './restoring.ts'
import type { StoredWindowCodec } from './packed-windows.ts'
import type { TradeOutcome } from './trade-taking.ts'
import type { Closing } from './window-closing.ts'
import { planAggregation } from './aggregation-settings.ts'
import { takeCandlesInProgress } from './candles-in-progress.ts'
import { forgetWindows } from './forgetting.ts'
import { mergeRanges } from './offset-ranges.ts'
import { PartitionBooks } from './partition-books.ts'
import { adoptWindows, inheritInstruments } from './rebuilding.ts'
import { restoreBooks } from './restoring.ts'
import { isFromFuture } from './trade-checks.ts'
import { takeTrade } from './trade-taking.ts'
import { closeWindows } from './window-closing.ts'

/** `rebuild`: candles are to be computed again by the caller. */
export type EventOutcome = TradeOutcome | 'rebuild'

export interface AppliedEvent {
  readonly outcome: EventOutcome
  /** Made by this record, in (windowEnd, interval, instrumentId) order. */
  readonly candles: readonly Candle[]
  /**
   * More candles are to come from this heartbeat: record the changes with its own offset as the
   * next one, then apply the same heartbeat again, before any other record.
   */
  readonly unfinished: boolean
  /**
   * Not null: nothing happened yet. Read the trades at these offsets again and apply the same record
   * with them.
   */
  readonly needs: readonly OffsetRange[] | null
}

export interface ChangedWindow {
  readonly instrumentId: string
  readonly interval: Interval
  readonly windowStart: number
  /** null: the window is forgotten. */
  readonly value: Uint8Array | null
}

export interface StateChanges {
  readonly partition: PartitionState
  readonly instruments: readonly InstrumentState[]
  readonly windows: readonly ChangedWindow[]
}

const noCandles: readonly Candle[] = Object.freeze([])
// One object for each outcome: a trade costs no allocation here.
const applied: Readonly<Record<EventOutcome, AppliedEvent>> = {
  accepted: withoutCandles('accepted'),
  revised: withoutCandles('revised'),
  duplicate: withoutCandles('duplicate'),
  conflict: withoutCandles('conflict'),
  superseded: withoutCandles('superseded'),
  late: withoutCandles('late'),
  future: withoutCandles('future'),
  invalid: withoutCandles('invalid'),
  uncounted: withoutCandles('uncounted'),
  rebuild: withoutCandles('rebuild'),
}

/**
 * Candles of one partition of market-events. The records and their order decide everything: there
 * is no clock in here, so the same records give the same candles, in the same order.
 *
 * libs/candles/SPEC.md has the states, the transitions and the invariants.
 */
export class PartitionAggregation {
  readonly #books: PartitionBooks
  /** Offset of the heartbeat whose candles are not all out. */
  #unfinishedAt: number | undefined

  /** @throws AggregationSettingsError naming the first setting that cannot be used. */
  constructor(settings: AggregationSettings, codec: StoredWindowCodec) {
    this.#books = new PartitionBooks(planAggregation(settings), codec)
  }

  /**
   * A partition as the changelog holds it. Then replay the records from restoreOffset to
   * committedOffset.
   *
   * @throws AggregationSettingsError if the state was written with other settings.
   * @throws Error if the changelog has lost records.
   */
  static restore(
    settings: AggregationSettings,
    codec: StoredWindowCodec,
    state: ChangelogState,
  ): PartitionAggregation {
    const restored = new PartitionAggregation(settings, codec)
    restoreBooks(restored.#books, state)
    return restored
  }

  /**
   * An aggregation that reads the log again from somewhere on, to rebuild candles of this one. It knows
   * what the instruments are and when they began.
   */
  forRebuild(settings: AggregationSettings, codec: StoredWindowCodec): PartitionAggregation {
    const fresh = new PartitionAggregation(settings, codec)
    inheritInstruments(fresh.#books, this.#books)
    return fresh
  }

  /**
   * Windows of [fromTime, toTime) become what a rebuild made of them. What is revised from here on is a
   * revision of the rebuilt candle.
   *
   * @param rebuilt has read the log up to here.
   * @param rebuildId offset of the rebuild's record.
   */
  adoptRebuilt(
    rebuilt: PartitionAggregation,
    rebuildId: number,
    range: { readonly fromTime: number; readonly toTime: number },
  ): void {
    adoptWindows(this.#books, rebuilt.#books, rebuildId, range)
  }

  /** Windows that take trades in memory. */
  get openWindows(): number {
    return this.#books.openWindows
  }

  /** Trades in memory, some 300 bytes each: they grow while a feed sends trades and no heartbeat. */
  get openTrades(): number {
    return this.#books.openTrades
  }

  get instrumentCount(): number {
    return this.#books.instruments.size
  }

  /** Windows that memory and the changelog hold, some 250 bytes each. */
  get storedWindows(): number {
    let count = 0
    for (const { levels } of this.#books.instruments.values()) {
      for (const { windows } of levels) count += windows.size
    }
    return count
  }

  /** One for each feed that has sent a heartbeat. */
  watermarks(): FeedWatermark[] {
    const watermarks: FeedWatermark[] = []
    for (const { feedId, upTo, closedUntil, forgottenUntil } of this.#books.feeds.values()) {
      if (upTo !== null) watermarks.push({ feedId, upTo, closedUntil, forgottenUntil })
    }
    return watermarks
  }

  /**
   * Reads a record again that was applied before the restore: a trade of a window that is still in
   * memory goes back into it. Everything else that it did is in the restored state.
   */
  replay(event: AggregationEvent, offset: number): void {
    if (event.type !== 'Trade') return
    const { value: trade } = event
    const known = this.#books.find(trade.venue, trade.instrument)
    // What came before was late for the feed that it came through, whatever feed followed.
    if (known !== undefined && offset < known.sinceOffset) return
    takeTrade(this.#books, { trade, offset, logged: undefined, isReplay: true })
  }

  /**
   * Applies the next record; offsets ascend.
   *
   * @param logged trades at the offsets that the last call for this record asked for, in order.
   */
  apply(event: AggregationEvent, offset: number, logged?: readonly LoggedTrade[]): AppliedEvent {
    if (this.#unfinishedAt !== undefined && this.#unfinishedAt !== offset) {
      throw new Error(
        `Offset ${offset} cannot be applied: the heartbeat at ${this.#unfinishedAt} has candles to come, apply it again first`,
      )
    }
    switch (event.type) {
      case 'Trade':
        return this.#applyTrade(event.value, offset, logged)
      case 'FeedHeartbeat':
        return this.#applyHeartbeat(event.value, offset, logged)
      case 'SequenceGap':
        this.#applyGap(event.value)
        return applied.accepted
      case 'InstrumentStatus':
        this.#applyStatus(event.value, offset)
        return applied.accepted
      default:
        return applied.rebuild
    }
  }

  /** What open windows come to so far, of those that took trades since the last call; not final. */
  takeLiveCandles(): readonly Candle[] {
    return takeCandlesInProgress(this.#books)
  }

  /**
   * What changed since the last call: what the changelog must record with the candles.
   *
   * @param nextOffset the offset that is read next: one behind the last record applied, or that of
   *   an unfinished heartbeat.
   * @param rebuild how far the candles of a rebuild are written; null where none is under way.
   */
  takeChanges(nextOffset: number, rebuild: RebuildProgress | null = null): StateChanges {
    if (this.#unfinishedAt !== undefined && this.#unfinishedAt !== nextOffset) {
      throw new Error(
        `Next offset ${nextOffset} cannot be recorded: the heartbeat at ${this.#unfinishedAt} has candles to come`,
      )
    }
    const books = this.#books
    const { plan } = books
    let restoreOffset = nextOffset
    for (const feed of books.feeds.values()) {
      for (const window of feed.windowsSince(nextOffset - plan.maxReplayedRecords)) {
        books.park(window)
      }
      restoreOffset = Math.min(restoreOffset, feed.firstNeededOffset())
    }
    const instruments = books.changed.map((instrument) => {
      instrument.changed = false
      return instrument.toState()
    })
    books.changed = []
    const partition = {
      graceMs: plan.graceMs,
      futureToleranceMs: plan.futureToleranceMs,
      quietSpanMs: plan.quietSpanMs,
      horizonMs: plan.horizonMs,
      gapSpanMs: plan.gapSpanMs,
      intervals: plan.levels.map(({ interval }) => interval),
      indicators: plan.indicators.map(({ text }) => text),
      committedOffset: nextOffset,
      restoreOffset,
      watermarks: this.watermarks(),
      gaps: [...books.feeds.values()].flatMap(({ gaps }) => [...gaps.all()]),
      rebuild,
    }
    return { partition, instruments, windows: this.#takeWindows() }
  }

  #takeWindows(): ChangedWindow[] {
    const { plan, windowsChanged } = this.#books
    const changes: ChangedWindow[] = []
    for (const instrument of windowsChanged) {
      instrument.windowsChanged = false
      const { instrumentId, levels } = instrument
      for (const [index, { windows }] of levels.entries()) {
        const interval = plan.levels[index]?.interval
        if (interval === undefined) continue
        windows.takeChanges((windowStart, value) => {
          changes.push({ instrumentId, interval, windowStart, value })
        })
      }
    }
    this.#books.windowsChanged = []
    return changes
  }

  #applyTrade(
    trade: CountedTrade,
    offset: number,
    logged: readonly LoggedTrade[] | undefined,
  ): AppliedEvent {
    const outcome = takeTrade(this.#books, { trade, offset, logged, isReplay: false })
    return typeof outcome === 'string' ? applied[outcome] : needing(outcome)
  }

  #applyHeartbeat(
    heartbeat: FeedHeartbeat,
    offset: number,
    logged: readonly LoggedTrade[] | undefined,
  ): AppliedEvent {
    const books = this.#books
    const { plan, lowestMs } = books
    if (isFromFuture(heartbeat.upTo, heartbeat, plan)) return applied.future
    const feed = books.feed(heartbeat.feedId)
    const upTo = Math.max(feed.upTo ?? 0, heartbeat.upTo)
    const target = Math.floor((upTo - plan.graceMs) / lowestMs) * lowestMs
    if (logged === undefined && plan.hasPriceMeans) {
      const needs = this.#offsetsOfParked(feed, target)
      if (needs.length > 0) return needing(needs)
    }
    feed.upTo = upTo
    const closing: Closing = {
      plan,
      candles: [],
      logged: logged ?? [],
      changed: (instrument) => books.markChanged(instrument),
      windowsChanged: (instrument) => books.markWindowsChanged(instrument),
      windowClosed: (window) => books.windowClosed(window),
    }
    const unfinished = closeWindows(closing, feed, target)
    this.#unfinishedAt = unfinished ? offset : undefined
    if (!unfinished) {
      for (const instrument of feed.joining) {
        instrument.joining = false
        books.markChanged(instrument)
      }
      feed.joining.clear()
      forgetWindows(books, feed)
    }
    return { outcome: 'accepted', candles: closing.candles, unfinished, needs: null }
  }

  /** Windows that were set aside and close now: means of prices need their trades. */
  #offsetsOfParked(feed: FeedProgress, target: number): readonly OffsetRange[] {
    const ranges: OffsetRange[] = []
    for (const { end, instrument } of feed.agenda.lowestUpTo(target)) {
      const window = instrument.lowest.get(end - this.#books.lowestMs)
      if (window !== undefined && window.revision < 0 && !window.pending) {
        ranges.push(...window.offsets)
      }
    }
    return mergeRanges(ranges)
  }

  #applyGap(gap: SequenceGap): void {
    const { gapId, feedId, instrumentId, fromTime, toTime, fromSequence, toSequence, state } = gap
    const books = this.#books
    const feed = books.feed(feedId)
    const range = { fromTime, toTime, fromSequence, toSequence }
    const known = { gapId, feedId, instrumentId, ...range, state }
    const before = feed.gaps.under(gapId)
    feed.gaps.announce(known, feed.forgottenUntil)
    for (const instrument of feed.instruments) {
      if (instrumentId !== null && instrument.instrumentId !== instrumentId) continue
      // What it touched as it was known before may be better now.
      for (const touched of [...before, known]) books.refreshGap(instrument, touched)
    }
  }

  #applyStatus(status: InstrumentStatus, offset: number): void {
    const books = this.#books
    const instrument =
      books.instruments.get(status.instrumentId) ??
      books.announce(status.instrumentId, books.feed(status.feedId), offset)
    if (status.feedId !== instrument.feed.feedId) books.move(instrument, status.feedId)
    const { expiredAt } = instrument
    if (status.status === 'expired') {
      instrument.expiredAt = Math.max(expiredAt ?? 0, status.eventTime)
    } else if (expiredAt !== null && status.eventTime > expiredAt) {
      instrument.expiredAt = null
    }
    const kind = status.kind ?? instrument.kind
    const quantityUnit = status.quantityUnit ?? instrument.quantityUnit
    if (kind !== instrument.kind || quantityUnit !== instrument.quantityUnit) {
      // Their trades were judged and summed by what was known until here: no replay may do it anew.
      for (const window of instrument.openWindows.values()) books.park(window)
      instrument.sinceOffset = offset
      instrument.kind = kind
      instrument.quantityUnit = quantityUnit
    }
    books.markChanged(instrument)
  }
}

function withoutCandles(outcome: EventOutcome): AppliedEvent {
  return { outcome, candles: noCandles, unfinished: false, needs: null }
}

function needing(needs: readonly OffsetRange[]): AppliedEvent {
  return { outcome: 'accepted', candles: noCandles, unfinished: false, needs }
}
