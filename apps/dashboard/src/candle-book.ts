import { standsAbove } from '@tickertape/client'
import type { CandleResource, GapResource } from '@tickertape/client'

import type { Interval } from './view-state.ts'

const spans: Readonly<Record<Interval, number>> = {
  '1s': 1_000,
  '1m': 60_000,
  '5m': 300_000,
  '15m': 900_000,
  '1h': 3_600_000,
  '4h': 14_400_000,
  '1d': 86_400_000,
}

export function spanOf(interval: Interval): number {
  return spans[interval]
}

/** Windows without candles that a chart still keeps room for; a longer stretch is drawn as one. */
const mostEmptyWindows = 600

/** A place of the chart's time axis: a candle, or a window of which there is none. */
export interface Bar {
  readonly windowStart: number
  readonly candle: CandleResource | undefined
}

export type Applied =
  | { readonly outcome: 'appended' | 'inserted' | 'known' }
  | { readonly outcome: 'replaced'; readonly previous: CandleResource }

/** A stretch of the chart of which less than everything is known. */
export interface Stretch {
  /** windowStart of its first and last bar. */
  readonly from: number
  readonly to: number
  readonly kind: 'gap' | 'backfilled' | 'partial'
}

export interface BookSummary {
  readonly candles: number
  /** Of the first and last candle; undefined without any. */
  readonly from: number | undefined
  readonly to: number | undefined
  /** Windows between them that have none. */
  readonly empty: number
  /** Stretches, each of one window or more. */
  readonly gaps: number
  readonly backfilled: number
  readonly revised: number
}

/** Whether a closed candle is not as it was told first. */
export function isRevised({ revision, rebuildId }: CandleResource): boolean {
  return revision > 0 || rebuildId !== null
}

/** The candles of one instrument and interval, in order, of each window the one that stands. */
export class CandleBook {
  readonly spanMs: number
  readonly #candles: CandleResource[] = []
  readonly #gaps = new Map<string, GapResource>()

  constructor(interval: Interval) {
    this.spanMs = spans[interval]
  }

  get candles(): readonly CandleResource[] {
    return this.#candles
  }

  get last(): CandleResource | undefined {
    return this.#candles.at(-1)
  }

  /** From whichever source and in whatever order candles come, the one that stands is kept. */
  apply(candle: CandleResource): Applied {
    const last = this.last
    if (last === undefined || candle.windowStart > last.windowStart) {
      this.#candles.push(candle)
      return { outcome: 'appended' }
    }
    const at = this.#indexOf(candle.windowStart)
    const known = this.#candles[at]
    if (known === undefined || known.windowStart !== candle.windowStart) {
      this.#candles.splice(at, 0, candle)
      return { outcome: 'inserted' }
    }
    // An open window is told again and again, each time anew.
    if (!standsAbove(candle, known) && (candle.final || known.final)) return { outcome: 'known' }
    this.#candles[at] = candle
    return { outcome: 'replaced', previous: known }
  }

  applyAll(candles: readonly CandleResource[]): void {
    for (const candle of candles) this.apply(candle)
  }

  noteGaps(gaps: readonly GapResource[]): void {
    for (const gap of gaps) this.#gaps.set(gap.gapId, gap)
  }

  at(windowStart: number): CandleResource | undefined {
    const candle = this.#candles[this.#indexOf(windowStart)]
    return candle?.windowStart === windowStart ? candle : undefined
  }

  /** Every place of the time axis, those without a candle as well: silence takes its time in the picture. */
  bars(): Bar[] {
    const bars: Bar[] = []
    let previous: CandleResource | undefined
    for (const candle of this.#candles) {
      if (previous !== undefined) bars.push(...this.emptyBetween(previous, candle))
      bars.push({ windowStart: candle.windowStart, candle })
      previous = candle
    }
    return bars
  }

  emptyBetween(previous: CandleResource, next: CandleResource): Bar[] {
    const empty = (next.windowStart - previous.windowStart) / this.spanMs - 1
    return Array.from({ length: Math.min(empty, mostEmptyWindows) }, (_, at) => ({
      windowStart: previous.windowStart + (at + 1) * this.spanMs,
      candle: undefined,
    }))
  }

  /**
   * Where trades are missing, or were. Candles say so by their quality; windows without a candle by the gaps that
   * touch them. A quiet window is none of these: that nothing was traded is known.
   */
  stretches(): Stretch[] {
    const gaps = [...this.#gaps.values()].filter(({ state }) => state !== 'backfilled')
    const stretches: Stretch[] = []
    for (const bar of this.bars()) {
      const kind = bar.candle === undefined ? this.#kindOfEmpty(bar, gaps) : kindOf(bar.candle)
      const last = stretches.at(-1)
      if (kind === undefined) continue
      if (last?.kind === kind && bar.windowStart - last.to === this.spanMs) {
        stretches[stretches.length - 1] = { ...last, to: bar.windowStart }
      } else {
        stretches.push({ from: bar.windowStart, to: bar.windowStart, kind })
      }
    }
    return stretches
  }

  #kindOfEmpty({ windowStart }: Bar, gaps: readonly GapResource[]): Stretch['kind'] | undefined {
    const end = windowStart + this.spanMs
    const touched = gaps.some(({ fromTime, toTime }) => fromTime < end && toTime > windowStart)
    return touched ? 'gap' : undefined
  }

  /** The picture in figures, for whoever does not see it. */
  summary(): BookSummary {
    const stretches = this.stretches()
    const bars = this.bars()
    return {
      candles: this.#candles.length,
      from: this.#candles[0]?.windowStart,
      to: this.last?.windowEnd,
      empty: bars.length - this.#candles.length,
      gaps: stretches.filter(({ kind }) => kind === 'gap').length,
      backfilled: stretches.filter(({ kind }) => kind === 'backfilled').length,
      revised: this.#candles.filter(isRevised).length,
    }
  }

  /** Of the first candle that begins at or after a time. */
  #indexOf(windowStart: number): number {
    let low = 0
    let high = this.#candles.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#candles[middle]?.windowStart ?? Infinity) < windowStart) low = middle + 1
      else high = middle
    }
    return low
  }
}

function kindOf({ quality }: CandleResource): Stretch['kind'] | undefined {
  return quality === 'gap' || quality === 'backfilled' || quality === 'partial'
    ? quality
    : undefined
}
