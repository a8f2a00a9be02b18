/**
 * Rolling stats of the last 5 minutes, hour and 24 hours, by instrument, pair and token, from closed
 * candles: for the gateway, which tells it of every candle it reads and of event time.
 *
 * **What a stat covers.** As of event time T: the windows that end in (T - span, T], which is trades
 * in [T - span, T). The 5 minutes are made of 1s candles, and T counts by the whole second; the hour
 * and the 24 hours are made of 1m candles, and T counts by the whole minute. So for up to a minute
 * the 5 minutes know of trades that the hour does not; `from` and `to` say what was covered. Finer
 * tails of long spans would need a day of seconds.
 *
 * **What moves time.** `advance` alone: stats of a market without candles decay, and a candle from
 * the future cannot empty those of all others. A candle ahead of the time waits inside for it.
 *
 * **What is known.** Quiet seconds have no candle, so minutes tell what is known of any span: each
 * that overlaps it is counted by its quality, or as missing. Missing is what no candle has told of:
 * not delivered yet, before the first candle, or after flat candles ended.
 *
 * **Units.** An instrument's amounts are those of its candles. For pairs and tokens they become base
 * and quote by its quantityUnit, or null: see `PairStats` and `TokenStats`. notionalUsd and
 * tradeCount add up whatever the unit.
 *
 * Sums are exact, revisions count by their difference, and the order of arrival changes nothing.
 *
 * **What it costs.** A day of an instrument that trades every second takes 110 KB, of a quiet one
 * 12 KB; what is older than the spans is forgotten. A pair or token is added up when asked for, from
 * its instruments: a list of all of them is work to do once for each `advance`, not for each reader.
 */
import type { Candle, Decimal } from '@tickertape/market-model'
import { divideDecimals } from '@tickertape/market-model'
import type { GroupPart, InstrumentTerms, PairStats, TokenStats } from './rolling-stats-groups.ts'
import { pairStats, tokenStats } from './rolling-stats-groups.ts'
import type { SpanReading, StatsSpan } from './rolling-stats-instrument.ts'
import { InstrumentSpans, retentionOf } from './rolling-stats-instrument.ts'

/** A candle may end at most this far, in ms, ahead of the time: what waits for it is bounded. */
export const statsAheadMs = 600_000

const vwapScale = 18

/**
 * What became of a candle.
 * - `applied`: it stands for its window.
 * - `duplicate`: this version of it stands already.
 * - `superseded`: a later version stands.
 * - `late`: its window left the spans that it counts for.
 * - `ahead`: it ends more than `statsAheadMs` after the time. Nothing was kept: advance, then apply
 *   it again.
 * - `unused`: it is not closed, or of an interval that no stat is made of.
 */
export type StatsOutcome = 'applied' | 'duplicate' | 'superseded' | 'late' | 'ahead' | 'unused'

/** Amounts are in the units of the instrument's candles. */
export interface InstrumentStats extends SpanReading {
  readonly instrumentId: string
  /**
   * In quote for one base: quoteVolume / volume, volume / quoteVolume on an inverse contract, 18
   * decimals, half to even. null without trades, or where the instrument's terms are not known yet.
   */
  readonly vwap: Decimal | null
}

export interface Pair {
  readonly base: string
  readonly quote: string
}

/** One instrument with candles. */
interface Held {
  readonly instrumentId: string
  readonly spans: InstrumentSpans
  terms: InstrumentTerms | undefined
}

interface PairMembers extends Pair {
  readonly members: Set<Held>
}

export class RollingStats {
  readonly #termsOf: (instrumentId: string) => InstrumentTerms | undefined
  readonly #held = new Map<string, Held>()
  readonly #pairs = new Map<string, PairMembers>()
  readonly #tokens = new Map<string, Set<Held>>()
  #asOf: number

  /**
   * @param asOf event time to begin with, in ms: of the snapshot that candles come from first.
   * @param termsOf looks an instrument up when its first candle comes; undefined where it is not
   *   known yet, and then `termsChanged` must tell. Without terms it counts for no pair or token.
   */
  constructor(asOf: number, termsOf: (instrumentId: string) => InstrumentTerms | undefined) {
    this.#asOf = asOf
    this.#termsOf = termsOf
  }

  /** Event time that stats are as of, in ms. */
  get asOf(): number {
    return this.#asOf
  }

  /** Takes a candle in whatever order; of the versions of one window the latest counts. */
  apply(candle: Candle): StatsOutcome {
    const retentionMs = retentionOf(candle.interval)
    if (retentionMs === undefined || !candle.final) return 'unused'
    if (candle.windowEnd <= this.#asOf - retentionMs) return 'late'
    if (candle.windowEnd > this.#asOf + statsAheadMs) return 'ahead'
    const held = this.#held.get(candle.instrumentId) ?? this.#hold(candle.instrumentId)
    return held.spans.apply(candle)
  }

  /**
   * Moves event time on; an earlier time moves nothing. Windows that end by then count, and what
   * left the spans is forgotten. Where candles up to the time are still on their way, their minutes
   * are missing until they come: pass what all live feeds have closed, which is their watermark less
   * the grace, once the candles of that moment are read.
   */
  advance(eventTime: number): void {
    if (eventTime <= this.#asOf) return
    this.#asOf = eventTime
    for (const held of this.#held.values()) {
      held.spans.slide(eventTime)
      if (!held.spans.isEmpty) continue
      this.#leaveGroups(held)
      this.#held.delete(held.instrumentId)
    }
  }

  /** Looks the instrument's terms up again. */
  termsChanged(instrumentId: string): void {
    const held = this.#held.get(instrumentId)
    if (held === undefined) return
    this.#leaveGroups(held)
    held.terms = this.#termsOf(instrumentId)
    this.#joinGroups(held)
  }

  /** undefined without a candle in the last 24 hours. */
  instrument(instrumentId: string, span: StatsSpan): InstrumentStats | undefined {
    const held = this.#held.get(instrumentId)
    if (held === undefined || !held.spans.isKnown) return undefined
    const reading = held.spans.read(span)
    return { instrumentId, ...reading, vwap: vwapOf(reading, held.terms) }
  }

  /** undefined without an instrument of that base and quote with a candle in the last 24 hours. */
  pair(base: string, quote: string, span: StatsSpan): PairStats | undefined {
    const members = this.#pairs.get(pairKey(base, quote))?.members ?? []
    return pairStats(base, quote, partsOf(members, span))
  }

  /** undefined without an instrument of that base or quote with a candle in the last 24 hours. */
  token(token: string, span: StatsSpan): TokenStats | undefined {
    return tokenStats(token, partsOf(this.#tokens.get(token) ?? [], span))
  }

  /** Those with stats, in no order. */
  instrumentIds(): readonly string[] {
    const known = [...this.#held.values()].filter(({ spans }) => spans.isKnown)
    return known.map(({ instrumentId }) => instrumentId)
  }

  /** Those with stats, in no order. */
  pairs(): readonly Pair[] {
    const known = [...this.#pairs.values()].filter(({ members }) => isAnyKnown(members))
    return known.map(({ base, quote }) => ({ base, quote }))
  }

  /** Those with stats, in no order. */
  tokens(): readonly string[] {
    const known = [...this.#tokens].filter(([, members]) => isAnyKnown(members))
    return known.map(([token]) => token)
  }

  #hold(instrumentId: string): Held {
    const terms = this.#termsOf(instrumentId)
    const held: Held = { instrumentId, spans: new InstrumentSpans(this.#asOf), terms }
    this.#held.set(instrumentId, held)
    this.#joinGroups(held)
    return held
  }

  #joinGroups(held: Held): void {
    for (const token of tokensOf(held)) {
      const members = this.#tokens.get(token) ?? new Set()
      this.#tokens.set(token, members.add(held))
    }
    const pair = pairOf(held)
    if (pair === undefined) return
    const key = pairKey(pair.base, pair.quote)
    const group = this.#pairs.get(key) ?? { ...pair, members: new Set() }
    group.members.add(held)
    this.#pairs.set(key, group)
  }

  #leaveGroups(held: Held): void {
    for (const token of tokensOf(held)) {
      const members = this.#tokens.get(token)
      members?.delete(held)
      if (members?.size === 0) this.#tokens.delete(token)
    }
    const pair = pairOf(held)
    if (pair === undefined) return
    const key = pairKey(pair.base, pair.quote)
    const members = this.#pairs.get(key)?.members
    members?.delete(held)
    if (members?.size === 0) this.#pairs.delete(key)
  }
}

function vwapOf(reading: SpanReading, terms: InstrumentTerms | undefined): Decimal | null {
  if (terms === undefined) return null
  const isInverse = terms.quantityUnit === 'quote'
  const quote = isInverse ? reading.volume : reading.quoteVolume
  const base = isInverse ? reading.quoteVolume : reading.volume
  return base.mantissa === 0 ? null : divideDecimals(quote, base, vwapScale)
}

function partsOf(members: Iterable<Held>, span: StatsSpan): readonly GroupPart[] {
  const parts: GroupPart[] = []
  for (const { spans, terms } of members) {
    if (terms !== undefined && spans.isKnown) parts.push({ terms, reading: spans.read(span) })
  }
  return parts
}

function isAnyKnown(members: Iterable<Held>): boolean {
  for (const { spans } of members) if (spans.isKnown) return true
  return false
}

function pairOf({ terms }: Held): Pair | undefined {
  if (terms === undefined || terms.base === null || terms.quote === null) return undefined
  return { base: terms.base, quote: terms.quote }
}

function tokensOf({ terms }: Held): readonly string[] {
  return [...new Set([terms?.base, terms?.quote])].filter((token) => typeof token === 'string')
}

function pairKey(base: string, quote: string): string {
  return JSON.stringify([base, quote])
}
