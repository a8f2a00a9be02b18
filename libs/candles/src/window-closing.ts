import type { Candle, EwmaState, KnownGap, WindowSums } from '@tickertape/market-model'
import type { AggregationPlan, IntervalPlan } from './aggregation-settings.ts'
import type { FeedProgress } from './feed-progress.ts'
import type { InstrumentProgress, LevelProgress } from './instrument-progress.ts'
import type { OpenWindow } from './open-window.ts'
import { ewmaValue, observe } from '@tickertape/ewma'
import { decimalToNumber, divideDecimals } from '@tickertape/market-model'
import { compareIds } from './feed-progress.ts'
import { qualityWithGaps } from './quality.ts'
import { flatSums, rollUp } from './window-sums.ts'

const vwapScale = 18
const noIndicators: Readonly<Record<string, number>> = Object.freeze({})

/** Candles of one step, and how the rest of the aggregation learns what changed. */
export interface Closing {
  readonly plan: AggregationPlan
  readonly candles: Candle[]
  readonly changed: (instrument: InstrumentProgress) => void
  readonly windowClosed: (window: OpenWindow) => void
}

/**
 * Closes a feed's windows that end at or before `target`, in (windowEnd, interval, instrumentId)
 * order, until enough candles for one step are there.
 *
 * @returns whether windows up to `target` are left for the next step.
 */
export function closeWindows(closing: Closing, feed: FeedProgress, target: number): boolean {
  for (;;) {
    const end = feed.nextEnd
    if (end > target) break
    if (closing.candles.length >= closing.plan.maxCandlesPerStep) return true
    for (const window of feed.takeWindowsEndingAt(end)) closeLowest(closing, window)
    if (end === feed.nextParentEnd) closeParents(closing, feed, end)
    feed.closedUntil = Math.max(feed.closedUntil, end)
  }
  feed.closedUntil = Math.max(feed.closedUntil, target)
  return false
}

function closeLowest(closing: Closing, window: OpenWindow): void {
  const { instrument, end } = window
  const sums = window.sums()
  instrument.cover(window)
  // Windows close in order, so the first to close holds the earliest trade that is known.
  const isFirst = instrument.knownFrom === null
  if (isFirst) instrument.knownFrom = window.firstTradeAt
  instrument.lastClose = sums.close
  instrument.lastTradeAt = window.lastTradeAt
  closing.windowClosed(window)
  emit(closing, instrument, 0, end, isFirst ? { ...sums, quality: 'partial' } : sums)
}

function closeParents(closing: Closing, feed: FeedProgress, end: number): void {
  const { levels } = closing.plan
  feed.roster.sort(compareIds)
  for (let index = 1; index < levels.length; index += 1) {
    const plan = levels[index]
    if (plan === undefined || end % plan.lengthMs !== 0) break
    for (const instrument of feed.roster) closeParent(closing, instrument, index, plan, end)
  }
  const { roster } = feed
  feed.roster = []
  feed.nextParentEnd = Infinity
  for (const instrument of roster) {
    instrument.enlisted = false
    feed.enlist(instrument, instrument.nextParentEnd(closing.plan))
  }
}

function closeParent(
  closing: Closing,
  instrument: InstrumentProgress,
  index: number,
  { lengthMs }: IntervalPlan,
  end: number,
): void {
  const level = instrument.levels[index]
  if (level === undefined) return
  const start = end - lengthMs
  if (level.rollUp !== null) {
    if (level.rollUp.windowStart === start) emit(closing, instrument, index, end, level.rollUp)
    return
  }
  // Flat windows begin at the interval above the lowest; higher ones roll them up.
  if (index !== 1 || !instrument.active || level.closedUntil !== start) return
  if (instrument.lastClose === null || endsBefore(closing.plan, instrument, start)) {
    instrument.active = false
    closing.changed(instrument)
    return
  }
  emit(closing, instrument, index, end, flatSums(start, instrument.lastClose))
}

/** Whether the instrument's flat candles end before a window that begins at `start`. */
function endsBefore(
  plan: AggregationPlan,
  { lastTradeAt, expiredAt }: InstrumentProgress,
  start: number,
): boolean {
  const tradedUntil = lastTradeAt ?? 0
  // A trade after the expiry begins the instrument again.
  const isExpired = expiredAt !== null && start >= expiredAt && tradedUntil <= expiredAt
  return isExpired || start >= tradedUntil + plan.quietSpanMs
}

/** A window closes: its candle, its part in the window above, its indicators. */
function emit(
  closing: Closing,
  instrument: InstrumentProgress,
  index: number,
  end: number,
  closed: WindowSums,
): void {
  const { plan, candles, changed } = closing
  const level = instrument.levels[index]
  const interval = plan.levels[index]?.interval
  if (level === undefined || interval === undefined) return
  const sums = withGaps(closed, instrument, end)
  level.rollUp = null
  level.closedUntil = end
  rollUpInto(closing, instrument, index + 1, sums)
  changed(instrument)
  candles.push({
    instrumentId: instrument.instrumentId,
    interval,
    windowStart: sums.windowStart,
    windowEnd: end,
    open: sums.open,
    high: sums.high,
    low: sums.low,
    close: sums.close,
    volume: sums.volume,
    buyVolume: sums.buyVolume,
    quoteVolume: sums.quoteVolume,
    notionalUsd: sums.notionalUsd,
    vwap:
      sums.volume.mantissa === 0 ? null : divideDecimals(sums.quoteVolume, sums.volume, vwapScale),
    tradeCount: sums.tradeCount,
    indicators: observeClose(plan, level, sums, end),
    quality: sums.quality,
    revision: 0,
    final: true,
    firstSequence: sums.firstSequence,
    lastSequence: sums.lastSequence,
    rebuildId: null,
  })
}

function withGaps(sums: WindowSums, instrument: InstrumentProgress, end: number): WindowSums {
  const gaps: ReadonlyMap<string, KnownGap> = instrument.feed.gaps
  if (gaps.size === 0) return sums
  const { instrumentId } = instrument
  const { windowStart } = sums
  const quality = qualityWithGaps(sums.quality, gaps.values(), instrumentId, windowStart, end)
  return quality === sums.quality ? sums : { ...sums, quality }
}

function rollUpInto(
  closing: Closing,
  instrument: InstrumentProgress,
  index: number,
  child: WindowSums,
): void {
  const level = instrument.levels[index]
  const lengthMs = closing.plan.levels[index]?.lengthMs
  if (level === undefined || lengthMs === undefined) return
  const start = Math.floor(child.windowStart / lengthMs) * lengthMs
  level.rollUp = rollUp(level.rollUp, child, start)
  if (index === 1) instrument.active = true
  instrument.feed.enlist(instrument, start + lengthMs)
}

/** The level's indicators after the close of one more candle; those with a value, by name. */
function observeClose(
  plan: AggregationPlan,
  level: LevelProgress,
  sums: WindowSums,
  end: number,
): Readonly<Record<string, number>> {
  if (plan.indicators.length === 0) return noIndicators
  const close = decimalToNumber(sums.close)
  const values: Record<string, number> = {}
  for (const [at, { text, settings }] of plan.indicators.entries()) {
    let state: EwmaState | undefined = level.indicators[at]
    if (state === undefined) continue
    // A price beyond a double's range is exact in the candle, but no part of a mean.
    if (Number.isFinite(close)) state = observe(settings, state, close, end)
    level.indicators[at] = state
    const value = ewmaValue(settings, state)
    if (value !== null) values[text] = value
  }
  return values
}
