import type { CandleQuality, Decimal } from '@tickertape/market-model'
import { zero } from '@tickertape/market-model'

/** What a stat takes from one closed candle. Without trades there are no amounts. */
export interface CandlePart {
  readonly volume: Decimal
  readonly buyVolume: Decimal
  readonly quoteVolume: Decimal
  readonly notionalUsd: Decimal | null
  readonly tradeCount: number
  readonly quality: CandleQuality
}

/** Which of several candles of one window stands: the highest; a rebuildId of null is the lowest. */
export interface CandleVersion {
  readonly rebuildId: number | null
  readonly revision: number
}

const windowsPerChunk = 60
const decimalsPerWindow = 4
const qualities = ['gap', 'partial', 'backfilled', 'complete', 'quiet'] as const
const firstVersion: CandleVersion = { rebuildId: null, revision: 0 }
const qualityBits = 7
const unknownNotional = 8

/** Numbers of a chunk's windows by column. */
interface Numbers {
  readonly mantissas: Float64Array
  readonly exponents: Int8Array
  readonly tradeCounts: Float64Array
}

/** 60 windows in a row. */
interface Chunk {
  /** For each window 0 if nothing is known of it, else its quality's place + 1 and the flag. */
  readonly states: Uint8Array
  /** null: no window has had trades. */
  numbers: Numbers | null
  /** What fits no column, NaN there: a mantissa beyond 2^53, an exponent beyond a byte. */
  unusual: Map<number, Decimal> | null
  /** Versions above the first, by window. */
  versions: Map<number, CandleVersion> | null
}

/**
 * The latest closed candles of one instrument and interval, in columns: an hour of minutes takes
 * 2.8 KB, and 0.4 KB without trades. As objects it takes 20 KB, which a day of thousands of
 * instruments does not bear.
 */
export class CandleWindows {
  readonly #windowMs: number
  readonly #chunkMs: number
  readonly #chunks = new Map<number, Chunk>()

  constructor(windowMs: number) {
    this.#windowMs = windowMs
    this.#chunkMs = windowMs * windowsPerChunk
  }

  get isEmpty(): boolean {
    return this.#chunks.size === 0
  }

  versionAt(windowStart: number): CandleVersion | undefined {
    const chunk = this.#chunkAt(windowStart)
    if (chunk === undefined) return undefined
    const slot = this.#slotOf(windowStart)
    if (chunk.states[slot] === 0) return undefined
    return chunk.versions?.get(slot) ?? firstVersion
  }

  partAt(windowStart: number): CandlePart | undefined {
    const chunk = this.#chunkAt(windowStart)
    return chunk === undefined ? undefined : readPart(chunk, this.#slotOf(windowStart))
  }

  set(windowStart: number, part: CandlePart, version: CandleVersion): void {
    const chunk = this.#chunkAt(windowStart) ?? this.#openChunk(windowStart)
    const slot = this.#slotOf(windowStart)
    writePart(chunk, slot, part)
    const isFirst = version.rebuildId === null && version.revision === 0
    if (isFirst) return
    chunk.versions ??= new Map()
    chunk.versions.set(slot, { rebuildId: version.rebuildId, revision: version.revision })
  }

  /** Visits the known windows that start in [from, to), both aligned, in no order. */
  forEach(from: number, to: number, visit: (part: CandlePart) => void): void {
    if (to <= from) return
    const chunkStart = this.#chunkStart(from)
    // One window enters and one leaves, mostly. A long way goes by the chunks that there are.
    if (to <= chunkStart + this.#chunkMs) {
      const chunk = this.#chunks.get(chunkStart)
      if (chunk !== undefined) this.#visit(chunkStart, chunk, from, to, visit)
      return
    }
    for (const [start, chunk] of this.#chunks) this.#visit(start, chunk, from, to, visit)
  }

  /** Start of the first window with trades in [from, to). */
  firstTraded(from: number, to: number): number | null {
    let first = to
    for (const [chunkStart, { numbers }] of this.#chunks) {
      if (numbers === null) continue
      const end = this.#endSlot(chunkStart, first)
      for (let slot = this.#firstSlot(chunkStart, from); slot < end; slot += 1) {
        if (numbers.tradeCounts[slot] === 0) continue
        first = chunkStart + slot * this.#windowMs
        break
      }
    }
    return first === to ? null : first
  }

  /** End of the last window with trades in [from, to). */
  lastTradedEnd(from: number, to: number): number | null {
    let last = from
    for (const [chunkStart, { numbers }] of this.#chunks) {
      if (numbers === null) continue
      const begin = this.#firstSlot(chunkStart, last)
      for (let slot = this.#endSlot(chunkStart, to) - 1; slot >= begin; slot -= 1) {
        if (numbers.tradeCounts[slot] === 0) continue
        last = chunkStart + (slot + 1) * this.#windowMs
        break
      }
    }
    return last === from ? null : last
  }

  /** Frees what starts before the time, a whole chunk at once: up to 59 windows stay behind it. */
  forgetBefore(time: number): void {
    for (const chunkStart of this.#chunks.keys()) {
      if (chunkStart + this.#chunkMs <= time) this.#chunks.delete(chunkStart)
    }
  }

  #visit(
    chunkStart: number,
    chunk: Chunk,
    from: number,
    to: number,
    visit: (part: CandlePart) => void,
  ): void {
    const end = this.#endSlot(chunkStart, to)
    for (let slot = this.#firstSlot(chunkStart, from); slot < end; slot += 1) {
      const part = readPart(chunk, slot)
      if (part !== undefined) visit(part)
    }
  }

  #openChunk(windowStart: number): Chunk {
    const chunk: Chunk = {
      states: new Uint8Array(windowsPerChunk),
      numbers: null,
      unusual: null,
      versions: null,
    }
    this.#chunks.set(this.#chunkStart(windowStart), chunk)
    return chunk
  }

  #chunkAt(windowStart: number): Chunk | undefined {
    return this.#chunks.get(this.#chunkStart(windowStart))
  }

  #chunkStart(windowStart: number): number {
    return Math.floor(windowStart / this.#chunkMs) * this.#chunkMs
  }

  #slotOf(windowStart: number): number {
    return (windowStart - this.#chunkStart(windowStart)) / this.#windowMs
  }

  #firstSlot(chunkStart: number, from: number): number {
    return Math.max(0, (from - chunkStart) / this.#windowMs)
  }

  #endSlot(chunkStart: number, to: number): number {
    return Math.min(windowsPerChunk, (to - chunkStart) / this.#windowMs)
  }
}

function readPart(chunk: Chunk, slot: number): CandlePart | undefined {
  const state = chunk.states[slot] ?? 0
  const quality = qualities[(state & qualityBits) - 1]
  if (quality === undefined) return undefined
  const isNotionalUnknown = (state & unknownNotional) !== 0
  const { numbers } = chunk
  if (numbers === null) {
    const notionalUsd = isNotionalUnknown ? null : zero
    return { ...withoutTrades, notionalUsd, quality }
  }
  return {
    volume: readDecimal(chunk, numbers, slot, 0),
    buyVolume: readDecimal(chunk, numbers, slot, 1),
    quoteVolume: readDecimal(chunk, numbers, slot, 2),
    notionalUsd: isNotionalUnknown ? null : readDecimal(chunk, numbers, slot, 3),
    tradeCount: numbers.tradeCounts[slot] ?? 0,
    quality,
  }
}

const withoutTrades = { volume: zero, buyVolume: zero, quoteVolume: zero, tradeCount: 0 }

function writePart(chunk: Chunk, slot: number, part: CandlePart): void {
  const place = qualities.indexOf(part.quality) + 1
  chunk.states[slot] = part.notionalUsd === null ? place | unknownNotional : place
  if (chunk.numbers === null && part.tradeCount === 0) return
  chunk.numbers ??= {
    mantissas: new Float64Array(windowsPerChunk * decimalsPerWindow),
    exponents: new Int8Array(windowsPerChunk * decimalsPerWindow),
    tradeCounts: new Float64Array(windowsPerChunk),
  }
  const { numbers } = chunk
  writeDecimal(chunk, numbers, slot, 0, part.volume)
  writeDecimal(chunk, numbers, slot, 1, part.buyVolume)
  writeDecimal(chunk, numbers, slot, 2, part.quoteVolume)
  writeDecimal(chunk, numbers, slot, 3, part.notionalUsd ?? zero)
  numbers.tradeCounts[slot] = part.tradeCount
}

function readDecimal(chunk: Chunk, numbers: Numbers, slot: number, column: number): Decimal {
  const index = slot * decimalsPerWindow + column
  const mantissa = numbers.mantissas[index] ?? 0
  if (Number.isNaN(mantissa)) return chunk.unusual?.get(index) ?? zero
  return { mantissa, exponent: numbers.exponents[index] ?? 0 }
}

function writeDecimal(
  chunk: Chunk,
  { mantissas, exponents }: Numbers,
  slot: number,
  column: number,
  value: Decimal,
): void {
  const index = slot * decimalsPerWindow + column
  const { mantissa, exponent } = value
  if (typeof mantissa === 'number' && exponent >= -128 && exponent <= 127) {
    mantissas[index] = mantissa
    exponents[index] = exponent
    chunk.unusual?.delete(index)
    return
  }
  mantissas[index] = Number.NaN
  chunk.unusual ??= new Map()
  chunk.unusual.set(index, value)
}
