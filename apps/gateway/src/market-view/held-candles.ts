import type { Candle, Interval } from '@tickertape/market-model'

import type { EncodedCandle } from '../market-view.ts'
import { candleJson } from './candle-json.ts'

/**
 * Windows of one interval that may be open at once: one, and for as long as heartbeats stay away those
 * behind it. Of more the latest stay.
 */
const maxOpenWindows = 8

/**
 * The latest candles of one instrument and interval. Of each window the one that stands: of closed ones the
 * highest (rebuildId, revision), and a closed one above any that is in progress.
 */
export class HeldCandles {
  readonly #interval: Interval
  readonly #depth: number
  /** Closed, by windowStart. */
  readonly #closed: EncodedCandle[] = []
  /** In progress, by windowStart; all later than those closed. */
  readonly #open: EncodedCandle[] = []
  /** Windows before this are not held, though there may be candles of them. */
  #heldFrom: number

  /**
   * @param depth most closed windows that are held.
   * @param heldFrom there may be candles of windows before this that are not applied.
   */
  constructor(interval: Interval, depth: number, heldFrom: number) {
    this.#interval = interval
    this.#depth = depth
    this.#heldFrom = heldFrom
  }

  /** undefined: none is held. */
  get heldFrom(): number | undefined {
    return this.#closed.length + this.#open.length === 0 ? undefined : this.#heldFrom
  }

  /**
   * Takes a candle that may be newer than what stands.
   *
   * @returns undefined if it is not. A revision of a window that is not held is new: its topic has each once.
   */
  apply(candle: Candle): EncodedCandle | undefined {
    return candle.final ? this.#applyClosed(candle) : this.#applyOpen(candle)
  }

  /** The latest `count`, oldest first. */
  latest(count: number): readonly EncodedCandle[] {
    const open = this.#open.slice(Math.max(0, this.#open.length - count))
    const room = count - open.length
    return room <= 0
      ? open
      : [...this.#closed.slice(Math.max(0, this.#closed.length - room)), ...open]
  }

  #applyClosed(candle: Candle): EncodedCandle | undefined {
    const { windowStart } = candle
    const at = placeOf(this.#closed, windowStart)
    const standing = this.#closed[at]
    const isHeld = standing?.windowStart === windowStart
    if (isHeld && compareVersions(candle, standing) <= 0) return undefined
    const encoded = this.#encode(candle)
    if (isHeld) this.#closed[at] = encoded
    else if (windowStart >= this.#heldFrom) this.#insert(at, encoded)
    while (this.#open[0] !== undefined && this.#open[0].windowStart <= windowStart) {
      this.#open.shift()
    }
    return encoded
  }

  #insert(at: number, encoded: EncodedCandle): void {
    if (at === this.#closed.length) this.#closed.push(encoded)
    else this.#closed.splice(at, 0, encoded)
    if (this.#closed.length > this.#depth) this.#closed.shift()
    const oldest = this.#closed[0]
    if (this.#closed.length === this.#depth && oldest !== undefined) {
      this.#heldFrom = Math.max(this.#heldFrom, oldest.windowStart)
    }
  }

  #applyOpen(candle: Candle): EncodedCandle | undefined {
    const { windowStart } = candle
    const closed = this.#closed.at(-1)
    // Windows close in order: this one is behind what was closed since it was written.
    if (closed !== undefined && windowStart <= closed.windowStart) return undefined
    const encoded = this.#encode(candle)
    const at = placeOf(this.#open, windowStart)
    const isHeld = this.#open[at]?.windowStart === windowStart
    this.#open.splice(at, isHeld ? 1 : 0, encoded)
    if (this.#open.length > maxOpenWindows) this.#open.shift()
    return encoded
  }

  #encode(candle: Candle): EncodedCandle {
    return {
      instrumentId: candle.instrumentId,
      interval: this.#interval,
      windowStart: candle.windowStart,
      revision: candle.revision,
      rebuildId: candle.rebuildId,
      final: candle.final,
      json: candleJson(candle),
    }
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

/** Where a window is or belongs; mostly the end. */
function placeOf(candles: readonly EncodedCandle[], windowStart: number): number {
  let low = 0
  let high = candles.length
  const last = candles[high - 1]
  if (last !== undefined && last.windowStart < windowStart) return high
  while (low < high) {
    const middle = (low + high) >>> 1
    const candle = candles[middle]
    if (candle !== undefined && candle.windowStart < windowStart) low = middle + 1
    else high = middle
  }
  return low
}
