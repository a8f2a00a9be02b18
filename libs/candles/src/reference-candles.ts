/**
 * SPEC.md as a program, for tests: what becomes of each record of a log and which candles it makes,
 * computed anew from the list of all records at every heartbeat. As plain as can be, and slow.
 */
import type {
  Candle,
  FeedHeartbeat,
  InstrumentStatus,
  MarketEvent,
  SequenceGap,
  Trade,
} from '@tickertape/market-model'
import type { AggregationSettings } from './aggregation-settings.ts'
import type { Feed, Gap, Instrument, Log, Span, TakenTrade } from './reference-candles-log.ts'
import type { Contents } from './reference-candles-window.ts'
import { instrumentIdOf, intervals } from '@tickertape/market-model'
import { areEqual, exact } from './reference-candles-exact.ts'
import {
  closedUntil,
  countingTrades,
  gapsOf,
  isForgotten,
  spanAt,
} from './reference-candles-log.ts'
import {
  closeBefore,
  contentsOf,
  firstWindow,
  indicatorsOf,
  keyOf,
  latestOf,
  meansOf,
  spansOf,
} from './reference-candles-window.ts'

export type ReferenceOutcome =
  | 'accepted'
  | 'revised'
  | 'duplicate'
  | 'conflict'
  | 'superseded'
  | 'late'
  | 'future'
  | 'invalid'
  | 'uncounted'
  | 'rebuild'

export interface ReferenceRun {
  /** One for each record. */
  readonly outcomes: readonly ReferenceOutcome[]
  readonly candles: readonly Candle[]
}

export function referenceRun(
  settings: AggregationSettings,
  events: readonly MarketEvent[],
): ReferenceRun {
  const log: Log = { settings, feeds: new Map(), instruments: new Map(), gaps: new Map() }
  const candles: Candle[] = []
  const outcomes = events.map((event, offset) => {
    return outcomeOf(log, event, offset, candles)
  })
  return { outcomes, candles }
}

function outcomeOf(
  log: Log,
  event: MarketEvent,
  offset: number,
  candles: Candle[],
): ReferenceOutcome {
  switch (event.type) {
    case 'Trade':
      return takeTrade(log, event.value, offset)
    case 'SequenceGap':
      return takeGap(log, event.value)
    case 'InstrumentStatus':
      return takeStatus(log, event.value, offset)
    case 'FeedHeartbeat':
      return takeHeartbeat(log, event.value, candles)
    default:
      return 'rebuild'
  }
}

function takeTrade(log: Log, trade: Trade, offset: number): ReferenceOutcome {
  const { settings } = log
  const instrumentId = instrumentIdOf(trade)
  const instrument =
    log.instruments.get(instrumentId) ?? newInstrument(log, instrumentId, trade.feedId)
  if (trade.eventTime > trade.receivedAt + settings.futureToleranceMs) return 'future'
  if (isInvalid(trade, instrument)) return 'invalid'

  const window = spanAt('1s', trade.eventTime)
  const known = knownRecords(log, instrument, trade)
  const windowsOfKnown = known.map(({ trade: { eventTime } }) => spanAt('1s', eventTime))
  const isFirstConfirmed = trade.status === 'confirmed' && trade.version === 0
  if (
    trade.sequence !== null &&
    isFirstConfirmed &&
    windowsOfKnown.some((span) => isClosed(instrument, span))
  ) {
    return 'duplicate'
  }
  const atHand = known
    .filter(
      ({ trade: { eventTime } }) => !isForgotten(settings, instrument, spanAt('1s', eventTime)),
    )
    .sort((a, b) => a.trade.version - b.trade.version)
  const standing = atHand.at(-1)?.trade
  if (standing !== undefined && standing.version === trade.version) {
    return saysTheSame(standing, trade) ? 'duplicate' : 'conflict'
  }
  if (standing !== undefined && standing.version > trade.version) return 'superseded'
  if (isForgotten(settings, instrument, window) || atHand.length < known.length) return 'late'

  const replacesClosed = atHand.some(({ trade: { eventTime } }) =>
    isClosed(instrument, spanAt('1s', eventTime)),
  )
  for (const record of atHand) record.replaced = true
  instrument.taken.push({ offset, trade, replaced: false })
  instrument.counting = countingTrades(instrument.taken)
  log.instruments.set(instrumentId, instrument)
  const isRevision = isClosed(instrument, window) || replacesClosed
  if (trade.status === 'confirmed') instrument.feedId = trade.feedId
  askSeconds(log, instrument)
  if (trade.status !== 'confirmed') return 'uncounted'
  return isRevision ? 'revised' : 'accepted'
}

/** What stands of the same trade; without a sequence, while its window is not forgotten. */
function knownRecords(
  { settings }: Log,
  instrument: Instrument,
  { sequence, tradeId }: Trade,
): TakenTrade[] {
  const standing = instrument.taken.filter(({ replaced }) => !replaced)
  if (sequence !== null) return standing.filter(({ trade }) => trade.sequence === sequence)
  return standing
    .filter(({ trade }) => trade.sequence === null && trade.tradeId === tradeId)
    .filter(({ trade }) => !isForgotten(settings, instrument, spanAt('1s', trade.eventTime)))
}

function isInvalid(trade: Trade, { terms }: Instrument): boolean {
  const { price, quantity, notionalUsd } = trade
  const numbers = notionalUsd === null ? [price, quantity] : [price, quantity, notionalUsd]
  if (numbers.some(({ exponent }) => Math.abs(exponent) > 400) || trade.eventTime < 0) return true
  if (trade.status !== 'confirmed') return false
  if (exact(quantity).digits <= 0n) return true
  return exact(price).digits <= 0n && terms.at(-1)?.kind !== 'combo'
}

function saysTheSame(a: Trade, b: Trade): boolean {
  return (
    a.eventTime === b.eventTime &&
    a.takerSide === b.takerSide &&
    a.status === b.status &&
    areEqual(a.price, b.price) &&
    areEqual(a.quantity, b.quantity)
  )
}

function takeGap(log: Log, record: SequenceGap): ReferenceOutcome {
  const { gapId, instrumentId, feedId, state } = record
  // What its feed's record holds, an instrument's own goes on to hold.
  const before = log.gaps.get(`${gapId} ${instrumentId}`) ?? log.gaps.get(`${gapId} null`)
  const since = state === 'open' ? closedUntil(feedOf(log, feedId)) : null
  log.gaps.set(`${gapId} ${instrumentId}`, { record, heldSince: before?.heldSince ?? since })
  for (const instrument of log.instruments.values()) askSeconds(log, instrument)
  return 'accepted'
}

/** Gaps that are not open any more hold nothing from this heartbeat on, nor do those long past. */
function releaseGaps({ settings, gaps }: Log, feedId: string, until: number): void {
  const { gapSpanMs = 86_400_000 } = settings
  for (const gap of gaps.values()) {
    const { record } = gap
    const isOver = record.state !== 'open' || until >= record.toTime + gapSpanMs
    if (record.feedId === feedId && isOver) gap.heldSince = null
  }
}

function takeStatus(log: Log, status: InstrumentStatus, offset: number): ReferenceOutcome {
  const { instrumentId, feedId, eventTime } = status
  const instrument = log.instruments.get(instrumentId) ?? newInstrument(log, instrumentId, feedId)
  log.instruments.set(instrumentId, instrument)
  instrument.feedId = feedId
  const { expiredAt, terms } = instrument
  if (status.status === 'expired') {
    instrument.expiredAt = Math.max(expiredAt ?? eventTime, eventTime)
  } else if (expiredAt !== null && eventTime > expiredAt) instrument.expiredAt = null
  const before = terms.at(-1)
  terms.push({
    offset,
    kind: status.kind ?? before?.kind ?? null,
    quantityUnit: status.quantityUnit ?? before?.quantityUnit ?? null,
  })
  askSeconds(log, instrument)
  return 'accepted'
}

function takeHeartbeat(log: Log, heartbeat: FeedHeartbeat, candles: Candle[]): ReferenceOutcome {
  const { settings } = log
  const { feedId, upTo, receivedAt } = heartbeat
  if (upTo > receivedAt + settings.futureToleranceMs) return 'future'
  const feed = feedOf(log, feedId)
  feed.watermark = Math.max(feed.watermark ?? upTo, upTo)
  const until = spanAt('1s', feed.watermark - settings.graceMs).start
  const members = [...log.instruments.values()].filter((one) => one.feedId === feedId)

  const windows = members.flatMap((instrument) =>
    settings.intervals.flatMap((interval) =>
      spansOf(instrument, interval, Math.max(until, closedUntil(instrument)))
        .filter((span) => !isForgotten(settings, instrument, span))
        .map((span) => ({ instrument, span })),
    ),
  )
  windows.sort(
    (a, b) =>
      a.span.end - b.span.end ||
      intervals.indexOf(a.span.interval) - intervals.indexOf(b.span.interval) ||
      (a.instrument.instrumentId < b.instrument.instrumentId ? -1 : 1),
  )
  const revisedSeconds = new Map(members.map((instrument) => [instrument, [] as number[]]))
  for (const { instrument, span } of windows) {
    const revised = revisedSeconds.get(instrument) ?? []
    const candle = nextCandle(log, instrument, span, revised)
    if (candle === undefined) continue
    candles.push(candle)
    if (span.interval === '1s' && candle.revision > 0) revised.push(span.start)
  }

  releaseGaps(log, feedId, until)
  // A gap holds on from here what it holds now, or nothing any more.
  const gaps = [...log.gaps.values()].map((gap) => ({ ...gap }))
  feed.moments.push({ closedUntil: until, gaps })
  for (const instrument of members) {
    instrument.changed.clear()
    addMoment(log, instrument, gaps, Math.max(until, closedUntil(instrument)))
  }
  return 'accepted'
}

/** The candle that is due of a window, which has closed or closes now; undefined if none is. */
function nextCandle(
  log: Log,
  instrument: Instrument,
  span: Span,
  revisedSeconds: readonly number[],
): Candle | undefined {
  const isClosing = !isClosed(instrument, span)
  const isAsked = isClosing || followsRevision(instrument, span, revisedSeconds)
  const contents = contentsOf(log, instrument, span, isAsked)
  const latest = latestOf(instrument, span)?.candle
  if (contents === undefined) return undefined
  if (span.interval === '1s' && !isClosing) {
    if (!instrument.changed.has(span.start)) return undefined
  } else if (latest !== undefined && areSame(latest, contents)) return undefined

  const means = meansOf(log, instrument, span, contents.close)
  const revision = isClosing ? 0 : (latest?.revision ?? 0) + 1
  const indicators = indicatorsOf(log.settings, means)
  const candle = { ...contents, indicators, revision }
  instrument.latest.set(keyOf(span), { candle, means })
  if (revision === 0) instrument.chains.push({ candle, means })
  return candle
}

/** Whether a 1s window was revised before, with no trade in the minutes between. */
function followsRevision(
  instrument: Instrument,
  { start }: Span,
  revisedSeconds: readonly number[],
): boolean {
  const times = instrument.counting.map(({ eventTime }) => eventTime)
  return revisedSeconds.some((second) => {
    const minute = spanAt('1m', second)
    return minute.end <= start && !times.some((time) => time >= minute.end && time < start)
  })
}

/** Notes the closed seconds that come to something else than their latest candles said. */
function askSeconds(log: Log, instrument: Instrument): void {
  for (const span of spansOf(instrument, '1s', closedUntil(instrument))) {
    if (isForgotten(log.settings, instrument, span)) continue
    const latest = latestOf(instrument, span)?.candle
    const contents = contentsOf(log, instrument, span, false)
    const close = closeBefore(instrument, span)
    if (close !== undefined) instrument.lastCloses.set(span.start, close)
    if (contents === undefined) continue
    if (latest === undefined || !areSame(latest, contents)) instrument.changed.add(span.start)
  }
}

/** Numbers and quality; indicators follow from them. */
function areSame(candle: Candle, contents: Contents): boolean {
  const { indicators: _, revision: __, ...rest } = candle
  return asText(rest) === asText(contents)
}

function asText(contents: Contents): string {
  const fields = Object.entries(contents).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify(fields, (_, value: unknown) =>
    typeof value === 'bigint' ? `${value}n` : value,
  )
}

/** What its feed closed and forgot before, is closed and forgotten for it too. */
function newInstrument(log: Log, instrumentId: string, feedId: string): Instrument {
  const moments = feedOf(log, feedId).moments.map((moment) => ({
    closedUntil: moment.closedUntil,
    gaps: gapsOf(moment.gaps, { instrumentId, feedId }),
  }))
  return {
    instrumentId,
    feedId,
    taken: [],
    counting: [],
    moments,
    latest: new Map(),
    chains: [],
    expiredAt: null,
    terms: [],
    firstForgotten: null,
    lastCloses: new Map(),
    changed: new Set(),
  }
}

function addMoment(log: Log, instrument: Instrument, gaps: readonly Gap[], until: number): void {
  instrument.moments.push({ closedUntil: until, gaps: gapsOf(gaps, instrument) })
  const first = firstWindow(instrument)
  if (first !== undefined && isForgotten(log.settings, instrument, first)) {
    instrument.firstForgotten = first.start
  }
}

function isClosed(instrument: Instrument, { end }: Span): boolean {
  return end <= closedUntil(instrument)
}

function feedOf({ feeds }: Log, feedId: string): Feed {
  let feed = feeds.get(feedId)
  if (feed === undefined) {
    feed = { watermark: null, moments: [] }
    feeds.set(feedId, feed)
  }
  return feed
}
