/** What the reference remembers of a log: nearly all of it. */
import type {
  Candle,
  Decimal,
  EwmaState,
  InstrumentKind,
  Interval,
  QuantityUnit,
  SequenceGap,
  Trade,
} from '@tickertape/market-model'
import type { AggregationSettings } from './aggregation-settings.ts'
import { intervalMs } from '@tickertape/market-model'

export interface TakenTrade {
  readonly offset: number
  readonly trade: Trade
  /** By a higher version. */
  replaced: boolean
}

/** A candle as it was emitted, with the means behind its indicators. */
export interface EmittedCandle {
  readonly candle: Candle
  readonly means: readonly EwmaState[]
}

/** The latest record of a gap. */
export interface Gap {
  readonly record: SequenceGap
  /** What was closed when it was announced as open; null: it holds nothing any more. */
  heldSince: number | null
}

/** What a heartbeat said about the windows of an instrument. */
export interface Moment {
  readonly closedUntil: number
  /** The gaps that concern the instrument. */
  readonly gaps: readonly Gap[]
}

export interface Feed {
  watermark: number | null
  readonly moments: Moment[]
}

export interface Instrument {
  readonly instrumentId: string
  feedId: string
  readonly taken: TakenTrade[]
  /** Those that count, in the order of the instrument. */
  counting: readonly Trade[]
  readonly moments: Moment[]
  /** The latest candle of each window, by interval and start. */
  readonly latest: Map<string, EmittedCandle>
  /** Candles of revision 0, of all intervals. */
  readonly chains: EmittedCandle[]
  expiredAt: number | null
  /** What the records before an offset said of the instrument. */
  readonly terms: {
    readonly offset: number
    readonly kind: InstrumentKind | null
    readonly quantityUnit: QuantityUnit | null
  }[]
  /** Start of the first window with trades, once that is forgotten. */
  firstForgotten: number | null
  /** What each 1s window closed at last, told or not, by start. */
  readonly lastCloses: Map<number, Decimal>
  /** Starts of closed 1s windows that came to something else than their latest candle. */
  readonly changed: Set<number>
}

export interface Log {
  readonly settings: AggregationSettings
  readonly feeds: Map<string, Feed>
  readonly instruments: Map<string, Instrument>
  /** The latest record of each (gapId, instrumentId). */
  readonly gaps: Map<string, Gap>
}

/** [start, end) of one interval. */
export interface Span {
  readonly interval: Interval
  readonly start: number
  readonly end: number
}

export function spanAt(interval: Interval, time: number): Span {
  const length = intervalMs(interval)
  const start = Math.floor(time / length) * length
  return { interval, start, end: start + length }
}

/** Whose end begins a window's horizon, and whose gaps hold it: a second's minute, else itself. */
function lifeOf({ intervals }: AggregationSettings, span: Span): Span {
  const above = span.interval === '1s' ? intervals[1] : undefined
  return above === undefined ? span : spanAt(above, span.start)
}

export function closedUntil(feedOrInstrument: {
  readonly moments: readonly { readonly closedUntil: number }[]
}): number {
  return Math.max(0, ...feedOrInstrument.moments.map((moment) => moment.closedUntil))
}

/** Whether the window takes no more changes. */
export function isForgotten(
  settings: AggregationSettings,
  { moments }: Instrument,
  span: Span,
): boolean {
  const life = lifeOf(settings, span)
  const pastFrom = life.end + settings.horizonMs
  return moments.some(
    (moment) =>
      moment.closedUntil >= pastFrom &&
      !moment.gaps.some(
        ({ record, heldSince }) =>
          heldSince !== null && heldSince < pastFrom && touches(record, life),
      ),
  )
}

export function touches({ fromTime, toTime }: SequenceGap, { start, end }: Span): boolean {
  return fromTime < end && toTime > start
}

/** The gaps that concern an instrument: under one gapId, its own record comes before its feed's. */
export function gapsOf(
  gaps: readonly Gap[],
  { instrumentId, feedId }: { readonly instrumentId: string; readonly feedId: string },
): Gap[] {
  const own = gaps.filter(({ record }) => record.instrumentId === instrumentId)
  const general = gaps.filter(
    ({ record }) =>
      record.instrumentId === null && own.every((gap) => gap.record.gapId !== record.gapId),
  )
  return [...own, ...general].filter(({ record }) => record.feedId === feedId)
}

export function countingTrades(taken: readonly TakenTrade[]): Trade[] {
  return taken
    .filter(({ trade, replaced }) => trade.status === 'confirmed' && !replaced)
    .map(({ trade }) => trade)
    .sort(inOrder)
}

function inOrder(a: Trade, b: Trade): number {
  return (
    a.eventTime - b.eventTime ||
    (a.sequence ?? -1) - (b.sequence ?? -1) ||
    (a.venueOrder ?? -1) - (b.venueOrder ?? -1) ||
    byBytes(a.tradeId, b.tradeId)
  )
}

function byBytes(a: string, b: string): number {
  const [left, right] = [new TextEncoder().encode(a), new TextEncoder().encode(b)]
  const at = left.findIndex((byte, index) => byte !== right[index])
  return at === -1 ? left.length - right.length : (left[at] ?? -1) - (right[at] ?? -1)
}
