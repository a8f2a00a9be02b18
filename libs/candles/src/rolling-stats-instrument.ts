import type { Candle, CandleQuality, Decimal } from '@tickertape/market-model'
import { intervalMs } from '@tickertape/market-model'
import { worstQuality } from './quality.ts'
import { SlidingSpan } from './rolling-stats-span.ts'
import type { CandleVersion } from './rolling-stats-windows.ts'
import { CandleWindows } from './rolling-stats-windows.ts'

export const statsSpans = ['5m', '1h', '24h'] as const

export type StatsSpan = (typeof statsSpans)[number]

/** Minutes of a span by what is known of them; those of several instruments are added. */
export interface StatsMinutes extends Readonly<Record<CandleQuality, number>> {
  /** No candle says anything of them. */
  readonly missing: number
}

/** What every stat says, whatever it is of. Times are event times in milliseconds. */
export interface StatsFacts {
  /** Inclusive */
  readonly from: number
  /** Exclusive */
  readonly to: number
  readonly tradeCount: number
  /** In US dollars; null if any part is unknown */
  readonly notionalUsd: Decimal | null
  /** Start of the first window with trades; null without trades */
  readonly firstWindowStart: number | null
  /** End of the last window with trades; null without trades */
  readonly lastWindowEnd: number | null
  /** The worst of the candles in the span; null without any */
  readonly quality: CandleQuality | null
  readonly minutes: StatsMinutes
  /** No minute is missing, and none lacks trades that the venue had, as far as candles tell. */
  readonly isComplete: boolean
}

/** A span of one instrument: amounts are in the units of its candles. */
export interface SpanReading extends StatsFacts {
  readonly volume: Decimal
  readonly buyVolume: Decimal
  readonly quoteVolume: Decimal
}

const secondMs = intervalMs('1s')
const minuteMs = intervalMs('1m')
const shortMs = intervalMs('5m')
const hourMs = intervalMs('1h')
const dayMs = intervalMs('1d')

/** How long candles count that stats are made of; undefined for other intervals. */
export function retentionOf(interval: string): number | undefined {
  if (interval === '1s') return shortMs
  return interval === '1m' ? dayMs : undefined
}

/** The latest candles of one instrument, 1s for 5 minutes and 1m for 24 hours, and their sums. */
export class InstrumentSpans {
  readonly #seconds = new CandleWindows(secondMs)
  readonly #minutes = new CandleWindows(minuteMs)
  /** Quiet seconds have no candle: what is known of the 5 minutes is known by the minute. */
  readonly #shortMinutes: SlidingSpan
  readonly #short: SlidingSpan
  readonly #hour: SlidingSpan
  readonly #day: SlidingSpan
  /** What was read since it last changed: lists of pairs and tokens ask for all, again and again. */
  readonly #readings = new Map<StatsSpan, SpanReading>()

  constructor(asOf: number) {
    this.#short = new SlidingSpan(this.#seconds, secondMs, shortMs, asOf)
    this.#shortMinutes = new SlidingSpan(this.#minutes, minuteMs, shortMs, asOf)
    this.#hour = new SlidingSpan(this.#minutes, minuteMs, hourMs, asOf)
    this.#day = new SlidingSpan(this.#minutes, minuteMs, dayMs, asOf)
  }

  /** No candle is held, not even one ahead of the time. */
  get isEmpty(): boolean {
    return this.#seconds.isEmpty && this.#minutes.isEmpty
  }

  /** At least one candle is inside a span. */
  get isKnown(): boolean {
    return this.#day.isKnown || this.#short.isKnown
  }

  /** Takes a closed candle of 1s or 1m, unless one of the same or a later version stands. */
  apply(candle: Candle): 'applied' | 'duplicate' | 'superseded' {
    const windows = candle.interval === '1s' ? this.#seconds : this.#minutes
    const { windowStart } = candle
    const standing = windows.versionAt(windowStart)
    const order = standing === undefined ? 1 : compareVersions(candle, standing)
    if (order <= 0) return order === 0 ? 'duplicate' : 'superseded'
    const before = windows.partAt(windowStart)
    windows.set(windowStart, candle, candle)
    if (windows === this.#seconds) {
      this.#short.replace(windowStart, before, candle)
      this.#readings.delete('5m')
    } else {
      for (const span of [this.#shortMinutes, this.#hour, this.#day]) {
        span.replace(windowStart, before, candle)
      }
      this.#readings.clear()
    }
    return 'applied'
  }

  slide(asOf: number): void {
    const { to: shortBefore } = this.#short
    this.#short.slide(asOf)
    if (this.#short.to === shortBefore) return
    this.#seconds.forgetBefore(this.#short.from)
    this.#readings.delete('5m')
    const { to: before } = this.#day
    for (const span of [this.#shortMinutes, this.#hour, this.#day]) span.slide(asOf)
    if (this.#day.to === before) return
    this.#minutes.forgetBefore(this.#day.from)
    this.#readings.clear()
  }

  read(span: StatsSpan): SpanReading {
    const known = this.#readings.get(span) ?? this.#readAgain(span)
    this.#readings.set(span, known)
    return known
  }

  #readAgain(span: StatsSpan): SpanReading {
    if (span === '5m') return reading(this.#short, this.#shortMinutes)
    const slid = span === '1h' ? this.#hour : this.#day
    return reading(slid, slid)
  }
}

/** Positive: the first is the later version. */
function compareVersions(a: CandleVersion, b: CandleVersion): number {
  return (a.rebuildId ?? -1) - (b.rebuildId ?? -1) || a.revision - b.revision
}

function reading(amounts: SlidingSpan, minutes: SlidingSpan): SpanReading {
  const { from, to, tradeCount } = amounts
  const hasTrades = tradeCount > 0
  const quality = worstKnown(worstKnown(null, minutes.known), amounts.known)
  const counts = minutesOf(minutes)
  return {
    from,
    to,
    volume: amounts.volume,
    buyVolume: amounts.buyVolume,
    quoteVolume: amounts.quoteVolume,
    notionalUsd: amounts.notionalUsd,
    tradeCount,
    firstWindowStart: hasTrades ? amounts.firstTraded() : null,
    lastWindowEnd: hasTrades ? amounts.lastTradedEnd() : null,
    quality,
    minutes: counts,
    isComplete: isCompleteSpan(quality, counts),
  }
}

export function isCompleteSpan(quality: CandleQuality | null, minutes: StatsMinutes): boolean {
  return minutes.missing === 0 && quality !== 'gap' && quality !== 'partial'
}

const qualities = ['gap', 'partial', 'backfilled', 'complete', 'quiet'] as const

function worstKnown(
  quality: CandleQuality | null,
  known: Readonly<Record<CandleQuality, number>>,
): CandleQuality | null {
  let worst = quality
  for (const each of qualities) {
    if (known[each] > 0) worst = worst === null ? each : worstQuality(worst, each)
  }
  return worst
}

function minutesOf({ known, spanMs }: SlidingSpan): StatsMinutes {
  const { gap, partial, backfilled, complete, quiet } = known
  const missing = spanMs / minuteMs - (gap + partial + backfilled + complete + quiet)
  return { ...known, missing }
}
