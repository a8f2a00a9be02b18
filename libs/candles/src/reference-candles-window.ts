/** What one window comes to, by the list of all trades: numbers, quality and indicators. */
import type {
  Candle,
  CandleQuality,
  Decimal,
  EwmaState,
  SequenceGap,
  Trade,
} from '@tickertape/market-model'
import type { AggregationSettings } from './aggregation-settings.ts'
import type { Exact } from './reference-candles-exact.ts'
import type { EmittedCandle, Instrument, Log, Span } from './reference-candles-log.ts'
import { emptyEwma, ewmaValue, observe, parseIndicator } from '@tickertape/ewma'
import { intervalMs } from '@tickertape/market-model'
import {
  decimal,
  dividedBy,
  exact,
  isLess,
  nothing,
  plus,
  times,
} from './reference-candles-exact.ts'
import { gapsOf, spanAt, touches } from './reference-candles-log.ts'

const qualities: readonly CandleQuality[] = ['gap', 'partial', 'backfilled', 'complete', 'quiet']

/** A candle but for its revision and its indicators. */
export type Contents = Omit<Candle, 'indicators' | 'revision'>

/** @returns undefined if the window has no candle. `isAsked`: whether a flat minute may begin. */
export function contentsOf(
  log: Log,
  instrument: Instrument,
  span: Span,
  isAsked: boolean,
): Contents | undefined {
  const trades = within(instrument.counting, span)
  if (trades.length === 0 && !isDueWithoutTrades(log, instrument, span, isAsked)) return undefined
  const { interval, start, end } = span
  const numbers =
    trades.length > 0
      ? numbersOf(instrument, trades)
      : numbersOfFlat(flatPrice(log, instrument, span))
  return {
    instrumentId: instrument.instrumentId,
    interval,
    windowStart: start,
    windowEnd: end,
    ...numbers,
    quality: qualityOf(log, instrument, span),
    final: true,
    rebuildId: null,
  }
}

export function latestOf({ latest }: Instrument, span: Span): EmittedCandle | undefined {
  return latest.get(keyOf(span))
}

export function keyOf({ interval, start }: Span): string {
  return `${interval} ${start}`
}

function isDueWithoutTrades(
  log: Log,
  instrument: Instrument,
  span: Span,
  isAsked: boolean,
): boolean {
  if (latestOf(instrument, span) !== undefined) return true
  if (span.interval === '1s') return false
  if (span.interval === '1m') return isAsked && isFlat(log, instrument, span)
  return childrenOf(log.settings, instrument, span).length > 0
}

/** Whether a minute without trades and without a candle is to have a flat one. */
function isFlat({ settings }: Log, instrument: Instrument, span: Span): boolean {
  const last = instrument.counting.filter(({ eventTime }) => eventTime < span.start).at(-1)
  if (last === undefined) return false
  if (span.start - last.eventTime >= (settings.quietSpanMs ?? 86_400_000)) return false
  const { expiredAt } = instrument
  if (expiredAt !== null && expiredAt <= span.start && last.eventTime <= expiredAt) return false
  return latestOf(instrument, spanAt('1m', span.start - 1)) !== undefined
}

/** Latest candles of the windows that the span is made of, in order. */
function childrenOf(
  { intervals }: AggregationSettings,
  instrument: Instrument,
  { interval, start, end }: Span,
): EmittedCandle[] {
  const below = intervals[intervals.indexOf(interval) - 1]
  if (below === undefined) return []
  const children: EmittedCandle[] = []
  for (let time = start; time < end; time += intervalMs(below)) {
    const child = latestOf(instrument, spanAt(below, time))
    if (child !== undefined) children.push(child)
  }
  return children
}

function flatPrice({ settings }: Log, instrument: Instrument, span: Span): Exact {
  const last = closeBefore(instrument, span)
  if (last !== undefined) return exact(last)
  const former =
    (span.interval === '1s' ? instrument.lastCloses.get(span.start) : undefined) ??
    latestOf(instrument, span)?.candle.close ??
    childrenOf(settings, instrument, span).at(-1)?.candle.close
  if (former === undefined) throw new Error('A flat candle has a price')
  return exact(former)
}

/** The price of the last trade that counts before the window ends. */
export function closeBefore({ counting }: Instrument, { end }: Span): Decimal | undefined {
  return counting.filter(({ eventTime }) => eventTime < end).at(-1)?.price
}

/** By what was known when the first record was taken into the trade's second. */
function isInverse({ taken, terms }: Instrument, { eventTime }: Trade): boolean {
  const { start, end } = spanAt('1s', eventTime)
  const first = taken.find(({ trade }) => trade.eventTime >= start && trade.eventTime < end)
  const known = terms.filter(({ offset }) => offset < (first?.offset ?? 0)).at(-1)
  return known?.quantityUnit === 'quote' && known.kind !== null && known.kind !== 'spot'
}

function numbersOf(instrument: Instrument, trades: readonly Trade[]) {
  const prices = trades.map(({ price }) => exact(price))
  const first = prices[0] ?? nothing
  const volume = sum(trades.map(({ quantity }) => exact(quantity)))
  const bought = trades.filter(({ takerSide }) => takerSide === 'buy')
  const quoteVolume = sum(trades.map((trade) => quoteOf(trade, isInverse(instrument, trade))))
  const notionals = trades.map(({ notionalUsd }) => notionalUsd)
  const sequences = trades.flatMap(({ sequence }) => (sequence === null ? [] : [sequence]))
  const last = trades.at(-1)
  const isVolumeInQuote = last !== undefined && isInverse(instrument, last)
  const [part, whole] = isVolumeInQuote ? [volume, quoteVolume] : [quoteVolume, volume]
  return {
    open: decimal(first),
    high: decimal(prices.reduce((a, b) => (isLess(a, b) ? b : a), first)),
    low: decimal(prices.reduce((a, b) => (isLess(b, a) ? b : a), first)),
    close: decimal(prices.at(-1) ?? nothing),
    volume: decimal(volume),
    buyVolume: decimal(sum(bought.map(({ quantity }) => exact(quantity)))),
    quoteVolume: decimal(quoteVolume),
    notionalUsd: notionals.includes(null)
      ? null
      : decimal(sum(notionals.map((notional) => (notional === null ? nothing : exact(notional))))),
    vwap: whole.digits === 0n ? null : decimal(dividedBy(part, whole)),
    tradeCount: trades.length,
    firstSequence: sequences.length === 0 ? null : Math.min(...sequences),
    lastSequence: sequences.length === 0 ? null : Math.max(...sequences),
  }
}

function quoteOf({ price, quantity }: Trade, inverse: boolean): Exact {
  if (!inverse) return times(exact(price), exact(quantity))
  return exact(price).digits === 0n ? nothing : dividedBy(exact(quantity), exact(price))
}

function numbersOfFlat(price: Exact) {
  const flat = decimal(price)
  const none = decimal(nothing)
  return {
    open: flat,
    high: flat,
    low: flat,
    close: flat,
    volume: none,
    buyVolume: none,
    quoteVolume: none,
    notionalUsd: none,
    vwap: null,
    tradeCount: 0,
    firstSequence: null,
    lastSequence: null,
  }
}

function qualityOf(log: Log, instrument: Instrument, span: Span): CandleQuality {
  const trades = within(instrument.counting, span)
  const found: CandleQuality[] = [trades.length > 0 ? 'complete' : 'quiet']
  for (const { candle } of childrenOf(log.settings, instrument, span)) found.push(candle.quality)
  for (const { record } of gapsOf([...log.gaps.values()], instrument)) {
    if (touches(record, span)) found.push(isFilled(record, instrument) ? 'backfilled' : 'gap')
  }
  const first = firstWindow(instrument)
  const isEarly = first !== undefined && span.end <= first.end
  if (span.interval === '1s' && trades.length > 0 && isEarly) found.push('partial')
  return qualities.find((quality) => found.includes(quality)) ?? 'quiet'
}

/** The first window with trades; one that is forgotten stays the first. */
export function firstWindow(instrument: Instrument): Span | undefined {
  const first = instrument.firstForgotten ?? instrument.counting[0]?.eventTime
  return first === undefined ? undefined : spanAt('1s', first)
}

function isFilled(gap: SequenceGap, { taken }: Instrument): boolean {
  const { state, instrumentId, fromSequence, toSequence } = gap
  if (state === 'backfilled') return true
  if (instrumentId === null || fromSequence === null || toSequence === null) return false
  const sequences = new Set(taken.map(({ trade }) => trade.sequence))
  for (let sequence = fromSequence; sequence <= toSequence; sequence += 1) {
    if (!sequences.has(sequence)) return false
  }
  return true
}

/** The means behind the indicators of the window's next candle, in the order of the setting. */
export function meansOf(
  { settings }: Log,
  instrument: Instrument,
  span: Span,
  close: Candle['close'],
): EwmaState[] {
  const chain = instrument.chains
    .filter(({ candle }) => candle.interval === span.interval)
    .filter(({ candle }) => candle.windowStart < span.start)
    .at(-1)
  const child = childrenOf(settings, instrument, span)
    .filter(({ candle }) => candle.tradeCount > 0)
    .at(-1)
  return settings.indicators.map((text, at) => {
    const indicator = indicatorOf(text)
    const before = chain?.means[at] ?? emptyEwma
    if (indicator.source === 'close') {
      return observe(indicator.settings, before, asNumber(close), span.end)
    }
    if (span.interval !== '1s') return child?.means[at] ?? before
    return within(instrument.counting, span).reduce(
      (mean, { price, eventTime }) => observe(indicator.settings, mean, asNumber(price), eventTime),
      before,
    )
  })
}

export function indicatorsOf(
  { indicators }: AggregationSettings,
  means: readonly EwmaState[],
): Record<string, number> {
  const values: Record<string, number> = {}
  for (const [at, text] of indicators.entries()) {
    const value = ewmaValue(indicatorOf(text).settings, means[at] ?? emptyEwma)
    if (value !== null) values[text] = value
  }
  return values
}

function indicatorOf(text: string) {
  const indicator = parseIndicator(text)
  if ('error' in indicator) throw new Error(indicator.error)
  return indicator
}

function asNumber({ mantissa, exponent }: Candle['close']): number {
  return Number(`${mantissa}e${exponent}`)
}

function within(trades: readonly Trade[], { start, end }: Span): Trade[] {
  return trades.filter(({ eventTime }) => eventTime >= start && eventTime < end)
}

function sum(values: readonly Exact[]): Exact {
  return values.reduce(plus, nothing)
}

/** Every window of the interval that may have a candle: from the first trade on, up to a time. */
export function spansOf(instrument: Instrument, interval: Span['interval'], until: number): Span[] {
  const times = instrument.taken.map(({ trade }) => trade.eventTime)
  const spans: Span[] = []
  if (interval === '1s') {
    for (const start of new Set(times.map((time) => spanAt('1s', time).start))) {
      spans.push(spanAt('1s', start))
    }
    return spans.filter(({ end }) => end <= until)
  }
  const length = intervalMs(interval)
  for (let start = spanAt(interval, Math.min(...times)).start; start + length <= until;) {
    spans.push(spanAt(interval, start))
    start += length
  }
  return spans
}
