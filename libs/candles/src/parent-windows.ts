import type { StoredWindow, WindowSums } from '@tickertape/market-model'
import type { AggregationPlan } from './aggregation-settings.ts'
import type { Means } from './indicator-means.ts'
import type { InstrumentProgress } from './instrument-progress.ts'
import { worstQuality } from './quality.ts'
import { addSums, flatSums } from './trade-sums.ts'

/** A window of an interval above the lowest. */
export interface ParentWindow {
  readonly level: number
  readonly start: number
  readonly end: number
}

/** What a parent comes to now. */
export interface ParentContent {
  readonly sums: WindowSums
  readonly inverse: boolean
  /** Of the last child with trades; undefined without one. */
  readonly priceMeans: Means | undefined
}

/** The parent of a window that begins there; undefined above the longest interval. */
export function parentOf(
  plan: AggregationPlan,
  level: number,
  start: number,
): ParentWindow | undefined {
  const lengthMs = plan.levels[level + 1]?.lengthMs
  if (lengthMs === undefined) return undefined
  const parentStart = Math.floor(start / lengthMs) * lengthMs
  return { level: level + 1, start: parentStart, end: parentStart + lengthMs }
}

/**
 * Whether a window takes no more changes: one of the lowest interval when it is forgotten, one above when
 * its children are.
 */
export function isFinalWindow(
  plan: AggregationPlan,
  instrument: InstrumentProgress,
  level: number,
  start: number,
): boolean {
  if (level === 0) return isForgottenWindow(plan, instrument, 0, start)
  return instrument.isForgotten(start, start + (plan.levels[level]?.lengthMs ?? 0))
}

/** Whether a window's record is no longer needed: its parent takes no more changes either. */
export function isForgottenWindow(
  plan: AggregationPlan,
  instrument: InstrumentProgress,
  level: number,
  start: number,
): boolean {
  const parentMs = plan.levels[level]?.parentMs ?? 0
  const parentStart = Math.floor(start / parentMs) * parentMs
  return instrument.isForgotten(parentStart, parentStart + parentMs)
}

/**
 * What a parent's children make of it: their sums, or without trades a flat candle where one is due;
 * undefined where there is none.
 */
export function contentOf(
  plan: AggregationPlan,
  instrument: InstrumentProgress,
  { level, start, end }: ParentWindow,
  existing: StoredWindow | undefined,
): ParentContent | undefined {
  const children = instrument.levels[level - 1]?.windows
  if (children === undefined) return undefined
  let sums: WindowSums | undefined
  let quality: WindowSums['quality'] = 'quiet'
  let lastWithTrades: StoredWindow | undefined
  let lastChild: StoredWindow | undefined
  for (const child of children.between(start, end)) {
    if (child.revision < 0) continue
    quality = worstQuality(quality, child.sums.quality)
    lastChild = child
    if (child.sums.tradeCount === 0) continue
    sums = sums === undefined ? { ...child.sums, windowStart: start } : addSums(sums, child.sums)
    lastWithTrades = child
  }
  if (sums === undefined) {
    const hadCandle = existing !== undefined && existing.revision >= 0
    const isDue = level === 1 ? isFlatDue(plan, instrument, start) : lastChild !== undefined
    if (!hadCandle && !isDue) return undefined
    const formerly = hadCandle ? existing : lastChild
    const price = instrument.lastTradesBefore(end)?.close ?? formerly?.sums.close
    if (price === undefined) return undefined
    sums = flatSums(start, price)
  } else {
    quality = worstQuality(quality, 'complete')
  }
  quality = instrument.feed.gaps.quality(quality, instrument, start, end)
  return {
    sums: { ...sums, quality },
    inverse: lastWithTrades?.inverse ?? existing?.inverse ?? false,
    priceMeans: lastWithTrades?.revisedMeans ?? lastWithTrades?.means,
  }
}

/** Whether a minute without trades has a flat candle that it never had before. */
function isFlatDue(plan: AggregationPlan, instrument: InstrumentProgress, start: number): boolean {
  const minutes = instrument.levels[1]?.windows
  const lengthMs = plan.levels[1]?.lengthMs ?? 0
  const last = instrument.lastTradesBefore(start)
  if (minutes === undefined || last === undefined) return false
  const { tradedAt } = last
  if (start >= tradedAt + plan.quietSpanMs) return false
  const { expiredAt } = instrument
  // A trade after the expiry begins the instrument again.
  if (expiredAt !== null && start >= expiredAt && tradedAt <= expiredAt) return false
  return (minutes.get(start - lengthMs)?.revision ?? -1) >= 0
}
