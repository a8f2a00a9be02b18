import type { Candle, StoredWindow, WindowSums } from '@tickertape/market-model'
import type { Means } from './indicator-means.ts'
import type { InstrumentProgress } from './instrument-progress.ts'
import type { OpenWindow } from './open-window.ts'
import type { PartitionBooks } from './partition-books.ts'
import { candleOf } from './candle-of.ts'
import { indicatorValues, meansAfter, meansOfPrices } from './indicator-means.ts'
import { worstQuality } from './quality.ts'
import { addSums } from './trade-sums.ts'
import { ownQuality } from './window-quality.ts'

/** A part of a window in progress: closed or open, with trades. */
interface Part {
  readonly sums: WindowSums
  readonly priceMeans: Means
}

/**
 * Candles of the windows that are open and took trades since the last call, and of those above them: what
 * they come to so far. Hints for screens: `final` is false.
 */
export function takeCandlesInProgress(books: PartitionBooks): Candle[] {
  const candles: Candle[] = []
  for (const instrument of books.live) {
    instrument.live = false
    const open = [...instrument.openWindows.values()].toSorted((a, b) => a.start - b.start)
    let latest: OpenWindow | undefined
    for (const window of open) {
      if (window.shownTrades === window.trades.length) continue
      window.shownTrades = window.trades.length
      const part = partOf(books, instrument, window)
      if (part === undefined) continue
      latest = window
      candles.push(candleInProgress(books, instrument, 0, part))
    }
    if (latest !== undefined) candles.push(...parentsInProgress(books, instrument, open, latest))
  }
  books.live = []
  return candles
}

function partOf(
  { plan }: PartitionBooks,
  instrument: InstrumentProgress,
  window: OpenWindow,
): Part | undefined {
  const sums = window.sums().toWindowSums(window.start)
  if (sums.tradeCount === 0) return undefined
  const quality = ownQuality(instrument, sums, window.end)
  const chain = instrument.levels[0]?.chain ?? []
  return { sums: { ...sums, quality }, priceMeans: meansOfPrices(plan, chain, window.trades) }
}

/** The windows above the latest one that are still open. */
function parentsInProgress(
  books: PartitionBooks,
  instrument: InstrumentProgress,
  open: readonly OpenWindow[],
  latest: OpenWindow,
): Candle[] {
  const { plan } = books
  const candles: Candle[] = []
  let below: readonly Part[] = open.flatMap((window) => partOf(books, instrument, window) ?? [])
  for (let level = 1; level < plan.levels.length; level += 1) {
    const lengthMs = plan.levels[level]?.lengthMs ?? 0
    const start = Math.floor(latest.start / lengthMs) * lengthMs
    if (start + lengthMs <= instrument.closedUntil) continue
    const closed = [
      ...(instrument.levels[level - 1]?.windows.between(start, start + lengthMs) ?? []),
    ]
    const parts = [...closed.filter(hasTrades).map(storedPart), ...below].filter(
      ({ sums }) => sums.windowStart >= start,
    )
    const part = joined(parts, start)
    if (part === undefined) break
    below = [part]
    candles.push(candleInProgress(books, instrument, level, part))
  }
  return candles
}

function hasTrades({ revision, sums }: StoredWindow): boolean {
  return revision >= 0 && sums.tradeCount > 0
}

function storedPart({ sums, means, revisedMeans }: StoredWindow): Part {
  return { sums, priceMeans: revisedMeans ?? means }
}

function joined(parts: readonly Part[], start: number): Part | undefined {
  const [first, ...others] = parts.toSorted((a, b) => a.sums.windowStart - b.sums.windowStart)
  if (first === undefined) return undefined
  return others.reduce<Part>(
    (whole, { sums, priceMeans }) => {
      const quality = worstQuality(whole.sums.quality, sums.quality)
      return { sums: { ...addSums(whole.sums, sums), quality }, priceMeans }
    },
    { sums: { ...first.sums, windowStart: start }, priceMeans: first.priceMeans },
  )
}

function candleInProgress(
  { plan }: PartitionBooks,
  instrument: InstrumentProgress,
  level: number,
  { sums, priceMeans }: Part,
): Candle {
  const { interval = '1s', lengthMs = 0 } = plan.levels[level] ?? {}
  const windowEnd = sums.windowStart + lengthMs
  const chain = instrument.levels[level]?.chain ?? []
  const means = meansAfter(plan, chain, sums.close, windowEnd, priceMeans)
  return candleOf(sums, {
    instrumentId: instrument.instrumentId,
    interval,
    windowEnd,
    inverse: instrument.isInverse,
    indicators: indicatorValues(plan, means),
    revision: 0,
    final: false,
    rebuildId: null,
  })
}
