import type { Candle, Interval } from '@tickertape/market-model'

import type { EncodedCandle } from '../market-view.ts'
import { candleJson } from './candle-json.ts'
import type { TextBudget, TextKeeper } from './candle-texts.ts'
import { inOnePiece } from './json-values.ts'
import { packCandle, unpackCandle } from './packed-candle.ts'
import type { CandleSeries } from './packed-candle.ts'

const firstCapacity = 256

/** Closed candles of one series, by windowStart: packed, and encoded when they are asked for. */
export class ClosedCandles implements TextKeeper {
  readonly #series: CandleSeries
  readonly #texts: TextBudget
  readonly #windowStarts: number[] = []
  /** Where each begins in the bytes, and how long it is; those that cannot be packed are 0 long. */
  readonly #begins: number[] = []
  readonly #lengths: number[] = []
  #bytes = new Uint8Array(firstCapacity)
  #end = 0
  #used = 0
  /** Those that cannot be packed. */
  readonly #plain = new Map<number, EncodedCandle>()
  readonly #encoded = new Map<number, EncodedCandle>()

  constructor(instrumentId: string, interval: Interval, texts: TextBudget) {
    this.#series = { instrumentId, interval, indicators: [] }
    this.#texts = texts
  }

  get length(): number {
    return this.#windowStarts.length
  }

  get firstWindowStart(): number | undefined {
    return this.#windowStarts[0]
  }

  get lastWindowStart(): number | undefined {
    return this.#windowStarts.at(-1)
  }

  versionAt(
    windowStart: number,
  ): { readonly revision: number; readonly rebuildId: number | null } | undefined {
    const at = this.#placeOf(windowStart)
    return this.#windowStarts[at] === windowStart ? this.#read(at) : undefined
  }

  /** Puts a candle in its place, over an earlier version of it. */
  set(candle: Candle, encoded: EncodedCandle): void {
    const { windowStart } = candle
    const at = this.#placeOf(windowStart)
    if (this.#windowStarts[at] === windowStart) this.#remove(at)
    const packed = packCandle(candle, this.#series)
    if (packed === undefined) this.#plain.set(windowStart, encoded)
    const length = packed?.length ?? 0
    insert(this.#windowStarts, at, windowStart)
    // What was packed before may move now.
    const begin = this.#reserve(length)
    if (packed !== undefined) this.#bytes.set(packed, begin)
    insert(this.#begins, at, begin)
    insert(this.#lengths, at, length)
  }

  removeFirst(): void {
    this.#remove(0)
  }

  /** The latest `count`, oldest first. */
  latest(count: number): EncodedCandle[] {
    const latest: EncodedCandle[] = []
    let added = 0
    for (let at = Math.max(0, this.length - count); at < this.length; at += 1) {
      const windowStart = this.#windowStarts[at] ?? 0
      let encoded = this.#plain.get(windowStart) ?? this.#encoded.get(windowStart)
      if (encoded === undefined) {
        encoded = encodeCandle(
          unpackCandle(this.#bytes, this.#begins[at] ?? 0, this.#series, windowStart),
          this.#series.interval,
        )
        this.#encoded.set(windowStart, encoded)
        added += encoded.json.length
      }
      latest.push(encoded)
    }
    if (this.#encoded.size > 0) this.#texts.used(this, added)
    return latest
  }

  dropTexts(): void {
    this.#encoded.clear()
  }

  #read(at: number): { readonly revision: number; readonly rebuildId: number | null } | undefined {
    const windowStart = this.#windowStarts[at] ?? 0
    const plain = this.#plain.get(windowStart)
    if (plain !== undefined) return plain
    return unpackCandle(this.#bytes, this.#begins[at] ?? 0, this.#series, windowStart)
  }

  #remove(at: number): void {
    const windowStart = this.#windowStarts[at]
    if (windowStart === undefined) return
    this.#used -= this.#lengths[at] ?? 0
    this.#plain.delete(windowStart)
    const encoded = this.#encoded.get(windowStart)
    if (encoded !== undefined) {
      this.#encoded.delete(windowStart)
      this.#texts.used(this, -encoded.json.length)
    }
    for (const column of [this.#windowStarts, this.#begins, this.#lengths]) {
      if (at === 0) column.shift()
      else column.splice(at, 1)
    }
  }

  /** Makes room at the end: by moving together what is used, and by more bytes if that is most of them. */
  #reserve(length: number): number {
    if (this.#end + length > this.#bytes.length) {
      const isFull = this.#used + length > this.#bytes.length * 0.8
      const capacity = isFull ? Math.ceil((this.#used + length) * 1.4) : this.#bytes.length
      const moved = new Uint8Array(Math.max(capacity, firstCapacity))
      let end = 0
      for (const [at, begin] of this.#begins.entries()) {
        const size = this.#lengths[at] ?? 0
        moved.set(this.#bytes.subarray(begin, begin + size), end)
        this.#begins[at] = end
        end += size
      }
      this.#bytes = moved
      this.#end = end
    }
    const begin = this.#end
    this.#end += length
    this.#used += length
    return begin
  }

  /** Where a window is or belongs; mostly the end. */
  #placeOf(windowStart: number): number {
    let low = 0
    let high = this.#windowStarts.length
    if ((this.#windowStarts[high - 1] ?? -Infinity) < windowStart) return high
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#windowStarts[middle] ?? 0) < windowStart) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** @param interval the candle's own. */
export function encodeCandle(candle: Candle, interval: Interval): EncodedCandle {
  const json = inOnePiece(candleJson(candle))
  return {
    instrumentId: candle.instrumentId,
    interval,
    windowStart: candle.windowStart,
    revision: candle.revision,
    rebuildId: candle.rebuildId,
    final: candle.final,
    json,
  }
}

function insert(column: number[], at: number, value: number): void {
  if (at === column.length) column.push(value)
  else column.splice(at, 0, value)
}
