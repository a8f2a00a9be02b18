/**
 * The specification as a program, for tests: candles of a log, computed again from the list of all
 * its trades at every heartbeat, with BigInt fractions and without any state of its own but the log.
 */
import type {
  Candle,
  CandleQuality,
  Decimal,
  Interval,
  MarketEvent,
  SequenceGap,
  Trade,
} from '@tickertape/market-model'
import type { AggregationSettings } from './aggregation-settings.ts'
import type { EventOutcome } from './partition-aggregation.ts'
import { emptyEwma, ewmaValue, observe, parseIndicator } from '@tickertape/ewma'
import { intervalMs } from '@tickertape/market-model'

export interface ReferenceRun {
  /** One for each record. */
  readonly outcomes: readonly EventOutcome[]
  readonly candles: readonly Candle[]
}

/** Sums are integers of 10^-60. */
const unit = 10n ** 60n
const qualities: readonly CandleQuality[] = ['gap', 'partial', 'backfilled', 'complete', 'quiet']

interface Log {
  readonly settings: AggregationSettings
  readonly accepted: Trade[]
  readonly watermarks: Map<string, number>
  readonly gaps: Map<string, SequenceGap>
  readonly expiries: Map<string, number>
  readonly candles: Candle[]
}

export function referenceRun(
  settings: AggregationSettings,
  events: readonly MarketEvent[],
): ReferenceRun {
  const log: Log = {
    settings,
    accepted: [],
    watermarks: new Map(),
    gaps: new Map(),
    expiries: new Map(),
    candles: [],
  }
  const outcomes = events.map((event) => outcomeOf(log, event))
  return { outcomes, candles: log.candles }
}

function outcomeOf(log: Log, event: MarketEvent): EventOutcome {
  switch (event.type) {
    case 'Trade': {
      const outcome = judge(log, event.value)
      if (outcome === 'accepted') log.accepted.push(event.value)
      return outcome
    }
    case 'FeedHeartbeat': {
      const { feedId, upTo, receivedAt } = event.value
      if (upTo > receivedAt + log.settings.futureToleranceMs) return 'future'
      const before = log.watermarks.get(feedId) ?? 0
      if (upTo <= before) return 'accepted'
      log.watermarks.set(feedId, upTo)
      log.candles.push(...due(log, feedId, before))
      return 'accepted'
    }
    case 'SequenceGap':
      log.gaps.set(event.value.gapId, event.value)
      return 'accepted'
    case 'InstrumentStatus': {
      const { instrumentId, status, eventTime } = event.value
      const expiredAt = log.expiries.get(instrumentId) ?? -1
      if (status === 'expired') log.expiries.set(instrumentId, Math.max(expiredAt, eventTime))
      else if (eventTime > expiredAt) log.expiries.delete(instrumentId)
      return 'accepted'
    }
    default:
      return 'ignored'
  }
}

function judge({ settings, accepted, watermarks }: Log, trade: Trade): EventOutcome {
  if (trade.eventTime > trade.receivedAt + settings.futureToleranceMs) return 'future'
  if (trade.status !== 'confirmed') return 'uncounted'
  if (fraction(trade.price) <= 0n || fraction(trade.quantity) <= 0n) return 'invalid'
  const second = startOf(trade.eventTime, '1s')
  const isKnown = accepted.some(
    (other) =>
      idOf(other) === idOf(trade) &&
      (trade.sequence === null
        ? other.sequence === null &&
          other.tradeId === trade.tradeId &&
          startOf(other.eventTime, '1s') === second
        : other.sequence === trade.sequence),
  )
  const isLate = isClosed(settings, watermarks.get(trade.feedId), second + 1_000)
  // An id counts within an open window only; a sequence for ever.
  if (isKnown && (trade.sequence !== null || !isLate)) return 'duplicate'
  return isLate ? 'late' : 'accepted'
}

/** Candles that the feed's watermark closes and that of before did not, in their order. */
function due(log: Log, feedId: string, before: number): Candle[] {
  const { settings, accepted, watermarks } = log
  const watermark = watermarks.get(feedId)
  const trades = accepted.filter((trade) => trade.feedId === feedId)
  const instrumentIds = [...new Set(trades.map(idOf))].sort()
  const ends = new Set<number>()
  for (const { eventTime } of trades) {
    ends.add(startOf(eventTime, '1s') + 1_000)
  }
  const first = Math.min(...trades.map(({ eventTime }) => startOf(eventTime, '1m')))
  const last = watermark === undefined ? 0 : watermark - settings.graceMs
  for (let end = first + 60_000; end <= last; end += 60_000) ends.add(end)

  const candles: Candle[] = []
  const all = [...log.candles]
  for (const end of [...ends].sort((a, b) => a - b)) {
    if (isClosed(settings, before, end)) continue
    if (!isClosed(settings, watermark, end)) break
    for (const interval of settings.intervals) {
      if (end % intervalMs(interval) !== 0) continue
      for (const instrumentId of instrumentIds) {
        const candle = candleOf({ ...log, candles: all }, instrumentId, interval, end)
        if (candle === undefined) continue
        candles.push(candle)
        all.push(candle)
      }
    }
  }
  return candles
}

/** The instrument's candle for the window that ends there; undefined if there is none. */
function candleOf(
  log: Log,
  instrumentId: string,
  interval: Interval,
  end: number,
): Candle | undefined {
  const { settings } = log
  const own = log.candles.filter((candle) => candle.instrumentId === instrumentId)
  const sameInterval = own.filter((candle) => candle.interval === interval)
  const start = end - intervalMs(interval)
  const known = log.accepted.filter((trade) => idOf(trade) === instrumentId).sort(inOrder)
  const trades = known.filter(({ eventTime }) => eventTime >= start && eventTime < end)
  const before = known.filter(({ eventTime }) => eventTime < start).at(-1)
  const below = settings.intervals[settings.intervals.indexOf(interval) - 1]
  const children = own.filter(
    (candle) => candle.interval === below && candle.windowStart >= start && candle.windowEnd <= end,
  )
  if (trades.length === 0) {
    if (before === undefined || interval === '1s') return undefined
    const goesOn =
      interval === '1m'
        ? sameInterval.some((candle) => candle.windowEnd === start) &&
          !hasEnded(log, instrumentId, before.eventTime, start)
        : children.length > 0
    if (!goesOn) return undefined
  }

  const firstKnown = known[0]?.eventTime ?? Infinity
  const quality = worst([
    trades.length === 0 ? 'quiet' : 'complete',
    ...(interval === '1s' && start <= firstKnown ? (['partial'] as const) : []),
    ...children.map((child) => child.quality),
    ...gapQualities(log, instrumentId, start, end),
  ])
  const closes = [
    ...sameInterval,
    { close: decimal(pricesOf(trades, before).close), windowEnd: end },
  ]
  return {
    instrumentId,
    interval,
    windowStart: start,
    windowEnd: end,
    ...numbersOf(trades, before),
    indicators: indicatorsOf(settings, closes),
    quality,
    revision: 0,
    final: true,
    rebuildId: null,
  }
}

function hasEnded(log: Log, instrumentId: string, lastTrade: number, start: number): boolean {
  const expiredAt = log.expiries.get(instrumentId)
  if (expiredAt !== undefined && start >= expiredAt && lastTrade <= expiredAt) return true
  return start >= lastTrade + (log.settings.quietSpanMs ?? 86_400_000)
}

function gapQualities(log: Log, instrumentId: string, start: number, end: number): CandleQuality[] {
  const feedId = log.accepted.find((trade) => idOf(trade) === instrumentId)?.feedId
  return [...log.gaps.values()]
    .filter((gap) => gap.feedId === feedId)
    .filter((gap) => gap.instrumentId === null || gap.instrumentId === instrumentId)
    .filter((gap) => gap.fromTime < end && gap.toTime > start)
    .map(({ state }) => (state === 'backfilled' ? 'backfilled' : 'gap'))
}

function pricesOf(trades: readonly Trade[], before: Trade | undefined) {
  const prices = trades.map(({ price }) => fraction(price))
  const last = before === undefined ? 0n : fraction(before.price)
  return {
    open: prices[0] ?? last,
    high: prices.length === 0 ? last : prices.reduce((a, b) => (a > b ? a : b)),
    low: prices.length === 0 ? last : prices.reduce((a, b) => (a < b ? a : b)),
    close: prices.at(-1) ?? last,
  }
}

function numbersOf(trades: readonly Trade[], before: Trade | undefined) {
  const { open, high, low, close } = pricesOf(trades, before)
  const volume = sum(trades.map(({ quantity }) => fraction(quantity)))
  const bought = trades.filter(({ takerSide }) => takerSide === 'buy')
  const quote = sum(
    trades.map(({ price, quantity }) => (fraction(price) * fraction(quantity)) / unit),
  )
  const notionals = trades.map(({ notionalUsd }) => notionalUsd)
  const sequences = trades.flatMap(({ sequence }) => (sequence === null ? [] : [sequence]))
  return {
    open: decimal(open),
    high: decimal(high),
    low: decimal(low),
    close: decimal(close),
    volume: decimal(volume),
    buyVolume: decimal(sum(bought.map(({ quantity }) => fraction(quantity)))),
    quoteVolume: decimal(quote),
    notionalUsd: notionals.includes(null)
      ? null
      : decimal(sum(notionals.map((notional) => (notional === null ? 0n : fraction(notional))))),
    vwap: volume === 0n ? null : quotient(quote, volume),
    tradeCount: trades.length,
    firstSequence: sequences.length === 0 ? null : Math.min(...sequences),
    lastSequence: sequences.length === 0 ? null : Math.max(...sequences),
  }
}

function indicatorsOf(
  { indicators }: AggregationSettings,
  closes: readonly { readonly close: Decimal; readonly windowEnd: number }[],
): Record<string, number> {
  const values: Record<string, number> = {}
  for (const text of indicators) {
    const indicator = parseIndicator(text)
    if ('error' in indicator) throw new Error(indicator.error)
    let state = emptyEwma
    for (const { close, windowEnd } of closes) {
      const value = Number(`${close.mantissa}e${close.exponent}`)
      state = observe(indicator.settings, state, value, windowEnd)
    }
    const value = ewmaValue(indicator.settings, state)
    if (value !== null) values[text] = value
  }
  return values
}

/** Not the code point order of the specification: the reference is fed ASCII ids only. */
function inOrder(a: Trade, b: Trade): number {
  return (
    a.eventTime - b.eventTime ||
    (a.sequence ?? -1) - (b.sequence ?? -1) ||
    (a.venueOrder ?? -1) - (b.venueOrder ?? -1) ||
    (a.tradeId < b.tradeId ? -1 : 1)
  )
}

function isClosed(
  { graceMs }: AggregationSettings,
  watermark: number | undefined,
  end: number,
): boolean {
  return watermark !== undefined && watermark >= end + graceMs
}

function worst(found: readonly CandleQuality[]): CandleQuality {
  return qualities.find((quality) => found.includes(quality)) ?? 'quiet'
}

function startOf(time: number, interval: Interval): number {
  return time - (time % intervalMs(interval))
}

function idOf({ venue, instrument }: Trade): string {
  return `${venue}:${instrument}`
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n)
}

function fraction({ mantissa, exponent }: Decimal): bigint {
  return exponent >= 0
    ? BigInt(mantissa) * 10n ** BigInt(exponent) * unit
    : (BigInt(mantissa) * unit) / 10n ** BigInt(-exponent)
}

/** In normal form. */
function decimal(value: bigint): Decimal {
  if (value === 0n) return { mantissa: 0, exponent: 0 }
  let mantissa = value
  let exponent = -60
  while (mantissa % 10n === 0n) {
    mantissa /= 10n
    exponent += 1
  }
  const isNarrow = mantissa < 2n ** 53n - 1n
  return { mantissa: isNarrow ? Number(mantissa) : mantissa, exponent }
}

/** At 18 decimals, half to even; both are positive. */
function quotient(a: bigint, b: bigint): Decimal {
  const down = (a * 10n ** 18n) / b
  const twice = 2n * ((a * 10n ** 18n) % b)
  const isUp = twice > b || (twice === b && down % 2n === 1n)
  return decimal((isUp ? down + 1n : down) * 10n ** 42n)
}
