import { RollingStats } from '@tickertape/candles'
import type { InstrumentStats, InstrumentTerms } from '@tickertape/candles'
import { statsSpans } from '@tickertape/market-api'
import type { StatsSpan, StatsSubject } from '@tickertape/market-api'
import type { Candle } from '@tickertape/market-model'

import type { EncodedStats, MarketUpdate } from '../market-view.ts'
import { instrumentStatsJson, pairStatsJson, tokenStatsJson } from './stats-json.ts'
import type { StatsJson } from './stats-json.ts'

interface HeldStats {
  readonly encoded: EncodedStats
  /** What of its JSON does not change with time alone. */
  readonly rest: string
}

/** Candles of windows far ahead of event time that are kept for it at most. */
const maxAhead = 10_000

/**
 * Rolling statistics, encoded: what `refresh` found at its last call.
 *
 * 1,200 instruments, pairs and tokens take some 10 ms (rough).
 */
export class StatsBoard {
  readonly #stats: RollingStats
  readonly #held = new Map<string, Map<string, HeldStats>>()
  readonly #encoded = new Map<string, Map<string, EncodedStats>>()
  #ahead: Candle[] = []
  #areMinutesNew = true
  #minutes = 0

  constructor(asOf: number, termsOf: (instrumentId: string) => InstrumentTerms | undefined) {
    this.#stats = new RollingStats(asOf, termsOf)
  }

  get asOf(): number {
    return this.#stats.asOf
  }

  /**
   * Rises whenever the long spans of any instrument may say something else, but for a candle or the terms of the
   * instrument itself.
   */
  get minutes(): number {
    return this.#minutes
  }

  /** Takes closed candles, and leaves those aside that no statistic is made of. */
  apply(candle: Candle): void {
    const outcome = this.#stats.apply(candle)
    if (outcome === 'applied' && candle.interval !== '1s') this.#areMinutesNew = true
    if (outcome !== 'ahead') return
    this.#ahead.push(candle)
    if (this.#ahead.length > maxAhead) this.#ahead.shift()
  }

  termsChanged(instrumentId: string): void {
    this.#areMinutesNew = true
    this.#stats.termsChanged(instrumentId)
  }

  /** By the whole second, for that is how statistics move. */
  advance(eventTime: number): void {
    const { asOf } = this.#stats
    if (Math.floor(eventTime / 1_000) <= Math.floor(asOf / 1_000)) return
    if (Math.floor(eventTime / 60_000) > Math.floor(asOf / 60_000)) {
      this.#areMinutesNew = true
      this.#minutes += 1
    }
    this.#stats.advance(eventTime)
    if (this.#ahead.length === 0) return
    this.#minutes += 1
    const ahead = this.#ahead
    this.#ahead = []
    for (const candle of ahead) this.apply(candle)
  }

  instrument(instrumentId: string, span: StatsSpan): InstrumentStats | undefined {
    return this.#stats.instrument(instrumentId, span)
  }

  encoded(of: StatsSubject, span: StatsSpan): ReadonlyMap<string, EncodedStats> {
    return this.#encoded.get(`${of} ${span}`) ?? nothing
  }

  /**
   * Encodes all statistics as they are now.
   *
   * @returns those that say something else than at the last call, their time aside.
   */
  refresh(): readonly MarketUpdate[] {
    const changed: MarketUpdate[] = []
    const stats = this.#stats
    // The long spans are made of minutes: most seconds change nothing of them.
    const spans = this.#areMinutesNew ? statsSpans : (['5m'] as const)
    this.#areMinutesNew = false
    for (const span of spans) {
      const instruments = stats.instrumentIds().map((instrumentId) => {
        const read = stats.instrument(instrumentId, span)
        return { name: instrumentId, json: read && instrumentStatsJson(read, span) }
      })
      const pairs = stats.pairs().map(({ base, quote }) => {
        const read = stats.pair(base, quote, span)
        return { name: `${base}/${quote}`, json: read && pairStatsJson(read, span) }
      })
      const tokens = stats.tokens().map((token) => {
        const read = stats.token(token, span)
        return { name: token, json: read && tokenStatsJson(read, span) }
      })
      this.#hold('instruments', span, instruments, changed)
      this.#hold('pairs', span, pairs, changed)
      this.#hold('tokens', span, tokens, changed)
    }
    return changed
  }

  #hold(
    of: StatsSubject,
    span: StatsSpan,
    current: readonly { readonly name: string; readonly json: StatsJson | undefined }[],
    changed: MarketUpdate[],
  ): void {
    const key = `${of} ${span}`
    const before = this.#held.get(key)
    const held = new Map<string, HeldStats>()
    const encoded = new Map<string, EncodedStats>()
    for (const { name, json } of current) {
      if (json === undefined) continue
      const stats = { of, span, name, json: json.head + json.rest }
      held.set(name, { encoded: stats, rest: json.rest })
      encoded.set(name, stats)
      if (before?.get(name)?.rest !== json.rest) changed.push({ type: 'stats', stats })
    }
    this.#held.set(key, held)
    this.#encoded.set(key, encoded)
  }
}

const nothing: ReadonlyMap<string, EncodedStats> = new Map()
