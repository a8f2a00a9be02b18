import type {
  Decimal,
  EwmaState,
  InstrumentState,
  IntervalState,
  WindowSums,
} from '@tickertape/market-model'
import type { AggregationPlan } from './aggregation-settings.ts'
import type { FeedProgress } from './feed-progress.ts'
import type { OpenWindow } from './open-window.ts'
import { emptyEwma } from '@tickertape/ewma'
import { SequenceSet } from './sequence-set.ts'

/**
 * Ranges of covered sequences that an instrument keeps. A forgotten one makes an old duplicate
 * `late` instead of `duplicate`: rejected with a reason either way, never counted again.
 */
const maxCoveredRanges = 1_024

/** One interval of one instrument. */
export interface LevelProgress {
  closedUntil: number
  rollUp: WindowSums | null
  /** In the order of the plan's indicators. */
  readonly indicators: EwmaState[]
}

/** What is known of one instrument: what closed windows left behind, and its open windows. */
export class InstrumentProgress {
  readonly instrumentId: string
  feed: FeedProgress
  /** Offset of the record that made it known. */
  readonly sinceOffset: number
  knownFrom: number | null = null
  lastClose: Decimal | null = null
  lastTradeAt: number | null = null
  expiredAt: number | null = null
  active = false
  joining = false
  readonly levels: readonly LevelProgress[]
  readonly openWindows = new Map<number, OpenWindow>()
  /** The window that took the last trade: most trades go there again. */
  recent: OpenWindow | undefined
  /** Sequences in closed windows and in open ones. */
  readonly seen = new SequenceSet()
  /** Differs from what the changelog holds. */
  changed = false
  /** Is in its feed's roster. */
  enlisted = false
  readonly #covered: SequenceSet

  constructor(
    plan: AggregationPlan,
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
    this.levels = plan.levels.map(() => ({
      closedUntil: 0,
      rollUp: null,
      indicators: plan.indicators.map(() => emptyEwma),
    }))
  }

  static restore(
    plan: AggregationPlan,
    state: InstrumentState,
    feed: FeedProgress,
  ): InstrumentProgress {
    const covered = SequenceSet.of(state.covered)
    const { instrumentId, sinceOffset } = state
    const instrument = new InstrumentProgress(plan, instrumentId, feed, sinceOffset, covered)
    instrument.knownFrom = state.knownFrom
    instrument.lastClose = state.lastClose
    instrument.lastTradeAt = state.lastTradeAt
    instrument.expiredAt = state.expiredAt
    instrument.active = state.active
    instrument.joining = state.joining
    for (const [index, level] of instrument.levels.entries()) {
      const recorded = state.intervals[index]
      if (recorded === undefined) continue
      level.closedUntil = recorded.closedUntil
      level.rollUp = recorded.rollUp
      for (const [at, indicator] of plan.indicators.entries()) {
        level.indicators[at] = recorded.indicators[indicator.text] ?? emptyEwma
      }
    }
    return instrument
  }

  /** Windows of the lowest interval that end at or before this take no more trades. */
  get closedUntil(): number {
    const own = this.levels[0]?.closedUntil ?? 0
    return this.joining ? own : Math.max(own, this.feed.closedUntil)
  }

  /** End of the next window above the lowest interval that must be looked at; Infinity if none. */
  nextParentEnd(plan: AggregationPlan): number {
    let next = Infinity
    for (let index = 1; index < this.levels.length; index += 1) {
      const level = this.levels[index]
      const lengthMs = plan.levels[index]?.lengthMs
      if (level === undefined || lengthMs === undefined) break
      if (level.rollUp !== null) next = Math.min(next, level.rollUp.windowStart + lengthMs)
      else if (index === 1 && this.active) next = Math.min(next, level.closedUntil + lengthMs)
    }
    return next
  }

  /** A closed window's sequences move to those that the changelog holds. */
  cover(window: OpenWindow): void {
    this.openWindows.delete(window.start)
    if (this.recent === window) this.recent = undefined
    this.#covered.addAll(window.sequences)
    if (!this.#covered.keepHighest(maxCoveredRanges)) return
    // What is seen must be what a restore would see, or a replay would judge differently.
    this.seen.clear()
    this.seen.addAll(this.#covered)
    for (const open of this.openWindows.values()) this.seen.addAll(open.sequences)
  }

  toState(plan: AggregationPlan): InstrumentState {
    return {
      instrumentId: this.instrumentId,
      feedId: this.feed.feedId,
      sinceOffset: this.sinceOffset,
      knownFrom: this.knownFrom,
      lastClose: this.lastClose,
      lastTradeAt: this.lastTradeAt,
      expiredAt: this.expiredAt,
      active: this.active,
      joining: this.joining,
      covered: this.#covered.toRanges(),
      intervals: this.levels.map((level, index) => levelState(plan, level, index)),
    }
  }
}

function levelState(plan: AggregationPlan, level: LevelProgress, index: number): IntervalState {
  const indicators: Record<string, EwmaState> = {}
  for (const [at, indicator] of plan.indicators.entries()) {
    indicators[indicator.text] = level.indicators[at] ?? emptyEwma
  }
  return {
    interval: plan.levels[index]?.interval ?? '',
    closedUntil: level.closedUntil,
    rollUp: level.rollUp,
    indicators,
  }
}
