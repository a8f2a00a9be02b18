import { divideDecimals, equalDecimals, intervalMs } from '@tickertape/market-model'
import type { Candle, CandleQuality, Decimal, Interval } from '@tickertape/market-model'

import { ByteReader, ByteWriter } from './bytes.ts'

/**
 * Closed candles as some 60 bytes each, where a Candle takes 900 and its JSON 480: what its series tells is left
 * out, prices are differences to the opening price, and vwap is computed again.
 *
 * A candle that does not fit (wide mantissas, or a vwap that is not the quotient of its sums) is not packed.
 */

const qualities: readonly CandleQuality[] = ['complete', 'quiet', 'gap', 'backfilled', 'partial']
const vwapKinds = ['none', 'quote per base', 'base per quote'] as const
const vwapScale = 18

/** The powers of ten that a double holds exactly. */
const exactPowers = Array.from({ length: 23 }, (_, power) => Number(`1e${power}`))

/** What of a candle its series knows: each is of one instrument and interval. */
export interface CandleSeries {
  readonly instrumentId: string
  readonly interval: Interval
  /** Names of indicators, in the order of their first appearance. */
  readonly indicators: string[]
}

const bits = { quality: 7, notional: 8, notionalIsQuote: 16, rebuilt: 32, sequences: 64 } as const

const writer = new ByteWriter()
const reader = new ByteReader()

/** @returns a view of bytes that the next call writes over; undefined if the candle cannot be packed. */
export function packCandle(candle: Candle, series: CandleSeries): Uint8Array | undefined {
  const vwap = vwapKindOf(candle)
  if (vwap < 0) return undefined
  const { notionalUsd, quoteVolume, rebuildId, firstSequence, lastSequence } = candle
  if ((firstSequence === null) !== (lastSequence === null)) return undefined
  const notionalIsQuote = notionalUsd !== null && equalDecimals(notionalUsd, quoteVolume)
  writer.begin()
  writer.byte(
    qualities.indexOf(candle.quality) |
      (notionalUsd === null ? 0 : bits.notional) |
      (notionalIsQuote ? bits.notionalIsQuote : 0) |
      (rebuildId === null ? 0 : bits.rebuilt) |
      (firstSequence === null ? 0 : bits.sequences),
  )
  writer.byte(vwap)
  writer.natural(candle.revision)
  if (rebuildId !== null) writer.natural(rebuildId)
  writer.natural(candle.tradeCount)
  const isWritten =
    writePrices(candle) &&
    writeDecimal(candle.volume) &&
    writeDecimal(candle.buyVolume) &&
    writeDecimal(quoteVolume) &&
    (notionalUsd === null || notionalIsQuote || writeDecimal(notionalUsd))
  if (!isWritten) return undefined
  if (firstSequence !== null && lastSequence !== null) {
    writer.integer(firstSequence)
    writer.integer(lastSequence - firstSequence)
  }
  writeIndicators(candle.indicators, series.indicators)
  return writer.bytes()
}

/** @param begin where in the bytes the packed candle stands. */
export function unpackCandle(
  bytes: Uint8Array,
  begin: number,
  series: CandleSeries,
  windowStart: number,
): Candle {
  reader.begin(bytes, begin)
  const facts = reader.byte()
  const vwap = reader.byte()
  const revision = reader.natural()
  const rebuildId = (facts & bits.rebuilt) === 0 ? null : reader.natural()
  const tradeCount = reader.natural()
  const exponent = reader.integer()
  const first = reader.integer()
  const price = (difference: number): Decimal => ({ mantissa: first + difference, exponent })
  const open = price(0)
  const high = price(reader.integer())
  const low = price(reader.integer())
  const close = price(reader.integer())
  const volume = readDecimal()
  const buyVolume = readDecimal()
  const quoteVolume = readDecimal()
  let notionalUsd: Decimal | null = null
  if ((facts & bits.notionalIsQuote) !== 0) notionalUsd = quoteVolume
  else if ((facts & bits.notional) !== 0) notionalUsd = readDecimal()
  const hasSequences = (facts & bits.sequences) !== 0
  const firstSequence = hasSequences ? reader.integer() : null
  const lastSequence = firstSequence === null ? null : firstSequence + reader.integer()
  return {
    instrumentId: series.instrumentId,
    interval: series.interval,
    windowStart,
    windowEnd: windowStart + intervalMs(series.interval),
    open,
    high,
    low,
    close,
    volume,
    buyVolume,
    quoteVolume,
    notionalUsd,
    vwap: vwapOf(vwap, volume, quoteVolume),
    tradeCount,
    indicators: readIndicators(series.indicators),
    quality: qualities[facts & bits.quality] ?? 'gap',
    revision,
    final: true,
    firstSequence,
    lastSequence,
    rebuildId,
  }
}

/** @returns -1 for a vwap that cannot be computed again. */
function vwapKindOf({ vwap, volume, quoteVolume }: Candle): number {
  if (vwap === null) return 0
  for (let kind = 1; kind < vwapKinds.length; kind += 1) {
    const computed = vwapOf(kind, volume, quoteVolume)
    if (computed !== null && equalDecimals(computed, vwap)) return kind
  }
  return -1
}

function vwapOf(kind: number, volume: Decimal, quoteVolume: Decimal): Decimal | null {
  const [dividend, divisor] = kind === 1 ? [quoteVolume, volume] : [volume, quoteVolume]
  if (kind === 0 || divisor.mantissa === 0) return null
  return divideDecimals(dividend, divisor, vwapScale)
}

function writePrices({ open, high, low, close }: Candle): boolean {
  const exponent = Math.min(open.exponent, high.exponent, low.exponent, close.exponent)
  const first = mantissaAt(open, exponent)
  writer.integer(exponent)
  writer.integer(first)
  const differences = [high, low, close].map((price) => mantissaAt(price, exponent) - first)
  if (!Number.isSafeInteger(first) || !differences.every(Number.isSafeInteger)) return false
  for (const difference of differences) writer.integer(difference)
  return true
}

/** NaN for what is wider than a double holds. */
function mantissaAt({ mantissa, exponent }: Decimal, at: number): number {
  if (typeof mantissa === 'bigint') return NaN
  const scaled = mantissa * (exactPowers[exponent - at] ?? NaN)
  return Number.isSafeInteger(scaled) ? scaled : NaN
}

function writeDecimal({ mantissa, exponent }: Decimal): boolean {
  if (typeof mantissa === 'bigint') return false
  writer.integer(exponent)
  writer.integer(mantissa)
  return true
}

function readDecimal(): Decimal {
  const exponent = reader.integer()
  return { mantissa: reader.integer(), exponent }
}

function writeIndicators(indicators: Candle['indicators'], names: string[]): void {
  const entries = Object.entries(indicators)
  writer.natural(entries.length)
  for (const [name, value] of entries) {
    let at = names.indexOf(name)
    if (at < 0) at = names.push(name) - 1
    writer.natural(at)
    writer.double(value)
  }
}

function readIndicators(names: readonly string[]): Candle['indicators'] {
  const indicators: Record<string, number> = {}
  const count = reader.natural()
  for (let number = 0; number < count; number += 1) {
    const name = names[reader.natural()] ?? ''
    indicators[name] = reader.double()
  }
  return indicators
}
