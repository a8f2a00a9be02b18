import type { Decimal, WindowSums } from '@tickertape/market-model'
import { addDecimals, compareDecimals, normalizeDecimal, zero } from '@tickertape/market-model'
import { worstQuality } from './quality.ts'

/** A window without trades: flat at the last close. */
export function flatSums(windowStart: number, lastClose: Decimal): WindowSums {
  return {
    windowStart,
    open: lastClose,
    high: lastClose,
    low: lastClose,
    close: lastClose,
    volume: zero,
    buyVolume: zero,
    quoteVolume: zero,
    notionalUsd: zero,
    tradeCount: 0,
    firstSequence: null,
    lastSequence: null,
    quality: 'quiet',
  }
}

/**
 * A parent's sums after one more closed child; children come in the order of time. A child without
 * trades has no price of its own, so a parent equals what its trades alone would make.
 */
export function rollUp(
  parent: WindowSums | null,
  child: WindowSums,
  parentStart: number,
): WindowSums {
  if (parent === null) return { ...child, windowStart: parentStart }
  const quality = worstQuality(parent.quality, child.quality)
  if (child.tradeCount === 0) return { ...parent, quality }
  if (parent.tradeCount === 0) return { ...child, windowStart: parentStart, quality }
  return {
    windowStart: parentStart,
    open: parent.open,
    high: compareDecimals(child.high, parent.high) > 0 ? child.high : parent.high,
    low: compareDecimals(child.low, parent.low) < 0 ? child.low : parent.low,
    close: child.close,
    volume: sum(parent.volume, child.volume),
    buyVolume: sum(parent.buyVolume, child.buyVolume),
    quoteVolume: sum(parent.quoteVolume, child.quoteVolume),
    notionalUsd:
      parent.notionalUsd === null || child.notionalUsd === null
        ? null
        : sum(parent.notionalUsd, child.notionalUsd),
    tradeCount: parent.tradeCount + child.tradeCount,
    firstSequence: bounded(Math.min, parent.firstSequence, child.firstSequence),
    lastSequence: bounded(Math.max, parent.lastSequence, child.lastSequence),
    quality,
  }
}

function sum(a: Decimal, b: Decimal): Decimal {
  return normalizeDecimal(addDecimals(a, b))
}

function bounded(
  choose: (a: number, b: number) => number,
  a: number | null,
  b: number | null,
): number | null {
  if (a === null) return b
  return b === null ? a : choose(a, b)
}
