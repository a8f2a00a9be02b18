import type { Candle, Interval } from '@tickertape/market-model'

import type { EncodedCandle } from '../market-view.ts'
import type { TextBudget } from './candle-texts.ts'
import { ClosedCandles, encodeCandle } from './closed-candles.ts'

/**
 * Windows of one interval that may be open at once: one, and for as long as heartbeats stay away those
 * behind it. Of more the latest stay.
 */
const maxOpenWindows = 8

/** Which candles there are, and how many are held. */
export interface SeriesLimits {
  /** Most closed windows that are held. */
  readonly depth: number
  /** There may be candles of windows before this that are not applied. */
  readonly heldFrom: number
  /** Next offset behind the candles of windows before that. */
  readonly releasedTo: number
  readonly texts: TextBudget
}

/**
 * The latest candles of one instrument and interval. Of each window the one that stands: of closed ones the
 * highest (rebuildId, revision), and a closed one above any that is in progress.
 */
export class HeldCandles {
  readonly #interval: Interval
  readonly #depth: number
  readonly #closed: ClosedCandles
  /** In progress, by windowStart; all later than those closed. */
  readonly #open: EncodedCandle[] = []
  /** Windows before this are not held, though there may be candles of them. */
  #heldFrom: number
  #releasedTo: number

  constructor(instrumentId: string, interval: Interval, limits: SeriesLimits) {
    this.#interval = interval
    this.#depth = limits.depth
    this.#heldFrom = limits.heldFrom
    this.#releasedTo = limits.releasedTo
    this.#closed = new ClosedCandles(instrumentId, interval, limits.texts)
  }

  /** undefined: none is held. */
  get heldFrom(): number | undefined {
    return this.#closed.length + this.#open.length === 0 ? undefined : this.#heldFrom
  }

  /** Next offset behind all candles that are not held; it may be that of the record which took a place from one. */
  get releasedTo(): number {
    return this.#releasedTo
  }

  /**
   * Takes a candle that may be newer than what stands.
   *
   * @param next offset behind its record; 0: it is from the database.
   * @returns undefined if it is not. A revision of a window that is not held is new: its topic has each once.
   */
  apply(candle: Candle, next: number): EncodedCandle | undefined {
    return candle.final ? this.#applyClosed(candle, next) : this.#applyOpen(candle)
  }

  /** The latest `count`, oldest first. */
  latest(count: number): readonly EncodedCandle[] {
    const open = this.#open.slice(Math.max(0, this.#open.length - count))
    return count > open.length ? [...this.#closed.latest(count - open.length), ...open] : open
  }

  #applyClosed(candle: Candle, next: number): EncodedCandle | undefined {
    const { windowStart } = candle
    const standing = this.#closed.versionAt(windowStart)
    if (standing !== undefined && compareVersions(candle, standing) <= 0) return undefined
    const encoded = encodeCandle(candle, this.#interval)
    if (windowStart >= this.#heldFrom) this.#hold(candle, encoded, next)
    else this.#release(next)
    while (this.#open[0] !== undefined && this.#open[0].windowStart <= windowStart) {
      this.#open.shift()
    }
    return encoded
  }

  #hold(candle: Candle, encoded: EncodedCandle, next: number): void {
    this.#closed.set(candle, encoded)
    if (this.#closed.length > this.#depth) {
      this.#closed.removeFirst()
      this.#release(next)
    }
    const oldest = this.#closed.firstWindowStart
    if (this.#closed.length === this.#depth && oldest !== undefined) {
      this.#heldFrom = Math.max(this.#heldFrom, oldest)
    }
  }

  #release(next: number): void {
    this.#releasedTo = Math.max(this.#releasedTo, next)
  }

  #applyOpen(candle: Candle): EncodedCandle | undefined {
    const { windowStart } = candle
    // Windows close in order: this one is behind what was closed since it was written.
    if (windowStart <= (this.#closed.lastWindowStart ?? -Infinity)) return undefined
    const encoded = encodeCandle(candle, this.#interval)
    let at = this.#open.length
    while (at > 0 && (this.#open[at - 1]?.windowStart ?? 0) >= windowStart) at -= 1
    const isHeld = this.#open[at]?.windowStart === windowStart
    this.#open.splice(at, isHeld ? 1 : 0, encoded)
    if (this.#open.length > maxOpenWindows) this.#open.shift()
    return encoded
  }
}

interface CandleVersion {
  readonly revision: number
  readonly rebuildId: number | null
}

/** Positive: the first is the later version. */
function compareVersions(a: CandleVersion, b: CandleVersion): number {
  return (a.rebuildId ?? -1) - (b.rebuildId ?? -1) || a.revision - b.revision
}
