import type {
  Decimal,
  EwmaState,
  InstrumentKind,
  InstrumentState,
  QuantityUnit,
  StoredWindow,
} from '@tickertape/market-model'
import type { AggregationPlan } from './aggregation-settings.ts'
import type { CountedTrade } from './counted-trade.ts'
import type { FeedProgress } from './feed-progress.ts'
import type { OpenWindow } from './open-window.ts'
import type { PackedWindows } from './packed-windows.ts'
import { emptyEwma } from '@tickertape/ewma'
import { IdIndex, unpackHashes } from './id-index.ts'
import { SequenceSet } from './sequence-set.ts'
import { StoredWindows } from './stored-windows.ts'

/**
 * Ranges of sequences of forgotten windows that an instrument keeps. What is forgotten beyond them makes
 * an old duplicate `late` instead: rejected with a reason either way, never counted again.
 */
const maxCoveredRanges = 1_024

/** The last window of the lowest interval in which a trade counts. */
export interface LastTrades {
  readonly start: number
  readonly close: Decimal
  /** Event time of the last trade. */
  readonly tradedAt: number
}

/** One interval of one instrument. */
export interface LevelProgress {
  readonly windows: StoredWindows
  /** The chain's means after its last candle, in the order of the plan's indicators. */
  chain: readonly EwmaState[]
  /** End of the window that must be looked at next; Infinity if none. Not used on the lowest. */
  nextEnd: number
}

/** What is known of one instrument: its windows, in memory and stored, and what it is. */
export class InstrumentProgress {
  readonly instrumentId: string
  feed: FeedProgress
  /** Offset of the record that made it known, or told last what it is: a replay leaves out what came before. */
  sinceOffset: number
  /** End of the first window with trades. */
  completeFrom: number | null = null
  /** What is read again begins later than the instrument: its first window is not among it. */
  beganBefore = false
  /** What it has closed and forgotten itself: its feed may be ahead. */
  ownClosedUntil = 0
  ownForgottenUntil = 0
  expiredAt: number | null = null
  kind: InstrumentKind | null = null
  quantityUnit: QuantityUnit | null = null
  /** A window of the second interval comes after the last one, flat if need be. */
  active = false
  joining = false
  readonly levels: readonly LevelProgress[]
  readonly openWindows = new Map<number, OpenWindow>()
  /** The window that took the last trade: most trades go there again. */
  recent: OpenWindow | undefined
  /** Sequences that were taken, in whatever window. */
  readonly seen = new SequenceSet()
  /** Trades without sequences in open windows, by id. */
  readonly openIds = new Map<string, CountedTrade>()
  /** Those in stored windows that are not forgotten, by hash. */
  readonly storedIds = new IdIndex()
  last: LastTrades | null = null
  /** Differs from what the changelog holds. */
  changed = false
  /** Has stored windows that differ from what the changelog holds. */
  windowsChanged = false
  /** Has taken trades since the last candles in progress. */
  live = false
  /** Is in its feed's roster. */
  enlisted = false
  /** Of forgotten windows. */
  readonly #covered: SequenceSet

  constructor(
    plan: AggregationPlan,
    packed: PackedWindows,
    instrumentId: string,
    feed: FeedProgress,
    sinceOffset: number,
    covered = new SequenceSet(),
  ) {
    this.instrumentId = instrumentId
    this.feed = feed
    this.sinceOffset = sinceOffset
    this.#covered = covered
    this.seen.addAll(covered)
    const chain = plan.indicators.map(() => emptyEwma)
    this.levels = plan.levels.map(() => ({
      windows: new StoredWindows(packed),
      chain,
      nextEnd: Infinity,
    }))
  }

  /** Without its windows: `restoreWindow` brings those. */
  static restore(
    plan: AggregationPlan,
    packed: PackedWindows,
    state: InstrumentState,
    feed: FeedProgress,
  ): InstrumentProgress {
    const covered = SequenceSet.of(state.covered)
    const { instrumentId, sinceOffset } = state
    const instrument = new InstrumentProgress(
      plan,
      packed,
      instrumentId,
      feed,
      sinceOffset,
      covered,
    )
    instrument.completeFrom = state.completeFrom
    instrument.ownClosedUntil = state.closedUntil
    instrument.ownForgottenUntil = state.forgottenUntil
    instrument.expiredAt = state.expiredAt
    instrument.kind = state.kind
    instrument.quantityUnit = state.quantityUnit
    instrument.active = state.active
    instrument.joining = state.joining
    return instrument
  }

  /** Windows of the lowest interval that end at or before this are closed. */
  get closedUntil(): number {
    return this.joining ? this.ownClosedUntil : Math.max(this.ownClosedUntil, this.feed.closedUntil)
  }

  /** Windows of the lowest interval that end at or before this are forgotten, but for those held. */
  get forgottenUntil(): number {
    return this.joining
      ? this.ownForgottenUntil
      : Math.max(this.ownForgottenUntil, this.feed.forgottenUntil)
  }

  /** Quantities are amounts of quote currency. */
  get isInverse(): boolean {
    return this.quantityUnit === 'quote' && this.kind !== null && this.kind !== 'spot'
  }

  /** Whether what ends there takes no more changes: by the horizon, unless an open gap holds it. */
  isForgotten(start: number, end: number): boolean {
    if (end > this.forgottenUntil) return false
    return end <= this.ownForgottenUntil || !this.feed.gaps.holds(this.instrumentId, start, end)
  }

  get lowest(): StoredWindows {
    const [lowest] = this.levels
    // The plan has one level at least.
    if (lowest === undefined) throw new Error('No interval is configured')
    return lowest.windows
  }

  /** Earliest end of a window above the lowest interval that must be looked at; Infinity if none. */
  get nextParentEnd(): number {
    let next = Infinity
    for (const { nextEnd } of this.levels) next = Math.min(next, nextEnd)
    return next
  }

  /** The close of the last trade that counts before a time; undefined where there is none. */
  lastTradesBefore(time: number): LastTrades | undefined {
    if (this.last !== null && this.last.start < time) return this.last
    for (const window of this.lowest.before(time)) {
      const found = lastTradesOf(window)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** The chain's means before the window that begins there. */
  chainBefore(level: LevelProgress, start: number): readonly EwmaState[] {
    for (const window of level.windows.before(start)) return window.means
    return level.chain.map(() => emptyEwma)
  }

  /** An open window's trades are no longer held in memory. */
  leaveMemory(window: OpenWindow): void {
    this.openWindows.delete(window.start)
    if (this.recent === window) this.recent = undefined
    for (const id of window.tradeIds()) this.openIds.delete(id)
  }

  /** A stored window's trades are known from here on: those without sequences by the hash of their id. */
  index(window: StoredWindow): void {
    for (const { from, to } of window.sequences) this.seen.addRange(from, to)
    const { windowStart } = window.sums
    for (const hash of unpackHashes(window.ids)) this.storedIds.add(hash, windowStart)
  }

  /** A forgotten window's sequences stay taken; its ids do not. */
  forget(window: StoredWindow): void {
    const { windowStart } = window.sums
    for (const hash of unpackHashes(window.ids)) this.storedIds.delete(hash, windowStart)
    for (const { from, to } of window.sequences) this.#covered.addRange(from, to)
  }

  /** Bounds what is remembered of forgotten windows. */
  trimCovered(): void {
    if (!this.#covered.keepHighest(maxCoveredRanges)) return
    // What is seen must be what a restore would see, or a replay would judge differently.
    this.seen.clear()
    this.seen.addAll(this.#covered)
    for (const window of this.lowest.between(0, Infinity)) {
      for (const { from, to } of window.sequences) this.seen.addRange(from, to)
    }
    for (const open of this.openWindows.values()) this.seen.addAll(open.sequences())
  }

  toState(): InstrumentState {
    return {
      instrumentId: this.instrumentId,
      feedId: this.feed.feedId,
      sinceOffset: this.sinceOffset,
      completeFrom: this.completeFrom,
      closedUntil: this.ownClosedUntil,
      forgottenUntil: this.ownForgottenUntil,
      expiredAt: this.expiredAt,
      kind: this.kind,
      quantityUnit: this.quantityUnit,
      active: this.active,
      joining: this.joining,
      covered: this.#covered.toRanges(),
    }
  }
}

export function lastTradesOf({ sums, closeOrder }: StoredWindow): LastTrades | undefined {
  if (sums.tradeCount === 0 || closeOrder === null) return undefined
  return { start: sums.windowStart, close: sums.close, tradedAt: closeOrder.eventTime }
}
