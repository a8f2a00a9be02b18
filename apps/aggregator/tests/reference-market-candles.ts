/**
 * What candles must say, computed from the list of trades that stand: no windows in memory, no state, no
 * line of the aggregator's own. Only the specification of libs/candles is shared.
 */
import { instrumentIdOf, intervalMs, isInterval } from '@tickertape/market-model'
import type { Candle, Decimal, Trade } from '@tickertape/market-model'

import { tradeKey } from './reference-market-trades.ts'
import { marketInstruments } from './reference-market-instruments.ts'
import { marketSettings } from './reference-market-settings.ts'
import type { MarketRecord } from './reference-market.ts'

/** Numbers are integers of 10^-30: finer than any product in the market. */
const places = 30
const one = 10n ** BigInt(places)

const inverse = new Set(
  marketInstruments
    .filter(({ kind, quantityUnit }) => kind === 'perpetual' && quantityUnit === 'quote')
    .map(({ instrumentId }) => instrumentId),
)

interface Totals {
  first: Trade
  last: Trade
  high: bigint
  low: bigint
  volume: bigint
  buyVolume: bigint
  quoteVolume: bigint
  notionalUsd: bigint | null
  count: number
  firstSequence: number | null
  lastSequence: number | null
}

export interface CandleCheck {
  /** What is wrong, in words; empty if nothing is. */
  readonly problems: readonly string[]
  /** Candles with trades that were compared. */
  readonly compared: number
  /** Trades that stand and count. */
  readonly trades: number
}

/**
 * Compares the latest revision of each candle of one partition with the trades that stand: of each trade the
 * highest version, of each version the first record, less what was rejected.
 *
 * @param log one partition of the market.
 * @param rejected offsets in that partition.
 * @param candles in the order of their offsets.
 */
export function checkCandles(
  log: readonly MarketRecord[],
  rejected: ReadonlySet<number>,
  candles: readonly Candle[],
): CandleCheck {
  const standing = standingTrades(log, rejected)
  const expected = totalsByWindow(standing)
  const closedUntil = closedUntilByInstrument(log, rejected)
  const latest = new Map(candles.map((candle) => [keyOf(candle), candle]))
  const problems: string[] = []
  for (const [key, totals] of expected) {
    const candle = latest.get(key)
    const end = endOf(key)
    const isClosed = end <= (closedUntil.get(instrumentIdOf(totals.first)) ?? 0)
    if (!isClosed && candle !== undefined) problems.push(`${key} is open and has a candle`)
    if (!isClosed) continue
    if (candle === undefined) problems.push(`${key} has ${totals.count} trades and no candle`)
    else problems.push(...differences(candle, totals).map((what) => `${key}: ${what}`))
  }
  for (const [key, candle] of latest) {
    if (!expected.has(key))
      problems.push(...flatDifferences(candle).map((what) => `${key}: ${what}`))
  }
  return { problems, compared: expected.size, trades: standing.length }
}

function standingTrades(
  log: readonly MarketRecord[],
  rejected: ReadonlySet<number>,
): readonly Trade[] {
  const known = new Map<string, Trade>()
  for (const { event, offset } of log) {
    if (event.type !== 'Trade' || rejected.has(offset)) continue
    const key = tradeKey(event.value)
    const before = known.get(key)
    if (before === undefined || event.value.version > before.version) known.set(key, event.value)
  }
  return [...known.values()].filter(({ status }) => status === 'confirmed')
}

function totalsByWindow(trades: readonly Trade[]): ReadonlyMap<string, Totals> {
  const windows = new Map<string, Totals>()
  for (const trade of trades) {
    const instrumentId = instrumentIdOf(trade)
    const price = scaled(trade.price)
    const quantity = scaled(trade.quantity)
    const part = {
      price,
      quantity,
      quote: inverse.has(instrumentId)
        ? divideHalfEven(quantity * 10n ** 18n, price) * 10n ** BigInt(places - 18)
        : (price * quantity) / one,
      notional: trade.notionalUsd === null ? null : scaled(trade.notionalUsd),
    }
    for (const interval of marketSettings.intervals) {
      const length = intervalMs(interval)
      const start = Math.floor(trade.eventTime / length) * length
      const key = `${instrumentId} ${interval} ${start}`
      windows.set(key, add(windows.get(key), trade, part))
    }
  }
  return windows
}

function add(
  totals: Totals | undefined,
  trade: Trade,
  part: { price: bigint; quantity: bigint; quote: bigint; notional: bigint | null },
): Totals {
  const bought = trade.takerSide === 'buy' ? part.quantity : 0n
  const { sequence } = trade
  if (totals === undefined) {
    return {
      first: trade,
      last: trade,
      high: part.price,
      low: part.price,
      volume: part.quantity,
      buyVolume: bought,
      quoteVolume: part.quote,
      notionalUsd: part.notional,
      count: 1,
      firstSequence: sequence,
      lastSequence: sequence,
    }
  }
  if (compareTrades(trade, totals.first) < 0) totals.first = trade
  if (compareTrades(trade, totals.last) > 0) totals.last = trade
  if (part.price > totals.high) totals.high = part.price
  if (part.price < totals.low) totals.low = part.price
  totals.volume += part.quantity
  totals.buyVolume += bought
  totals.quoteVolume += part.quote
  const { notionalUsd } = totals
  totals.notionalUsd =
    notionalUsd === null || part.notional === null ? null : notionalUsd + part.notional
  totals.count += 1
  if (sequence !== null) {
    totals.firstSequence = Math.min(totals.firstSequence ?? sequence, sequence)
    totals.lastSequence = Math.max(totals.lastSequence ?? sequence, sequence)
  }
  return totals
}

/** Open and close: eventTime, sequence with none first, venueOrder with none first, tradeId by bytes. */
function compareTrades(a: Trade, b: Trade): number {
  return (
    a.eventTime - b.eventTime ||
    (a.sequence ?? -1) - (b.sequence ?? -1) ||
    (a.venueOrder ?? -1) - (b.venueOrder ?? -1) ||
    Buffer.compare(Buffer.from(a.tradeId), Buffer.from(b.tradeId))
  )
}

/** Up to where the feed that has the instrument last has closed its windows. */
function closedUntilByInstrument(
  log: readonly MarketRecord[],
  rejected: ReadonlySet<number>,
): ReadonlyMap<string, number> {
  const watermarks = new Map<string, number>()
  const feedOf = new Map<string, string>()
  for (const { event, offset } of log) {
    if (rejected.has(offset)) continue
    if (event.type === 'FeedHeartbeat') {
      const { feedId, upTo } = event.value
      watermarks.set(feedId, Math.max(watermarks.get(feedId) ?? 0, upTo))
    } else if (event.type === 'InstrumentStatus') {
      feedOf.set(event.value.instrumentId, event.value.feedId)
    } else if (event.type === 'Trade') {
      feedOf.set(instrumentIdOf(event.value), event.value.feedId)
    }
  }
  return new Map(
    [...feedOf].map(([instrumentId, feedId]) => {
      const closes = (watermarks.get(feedId) ?? 0) - marketSettings.graceMs
      return [instrumentId, Math.floor(closes / 1_000) * 1_000]
    }),
  )
}

function differences(candle: Candle, totals: Totals): readonly string[] {
  const { volume, quoteVolume } = totals
  const isInverse = inverse.has(candle.instrumentId)
  const vwap = isInverse
    ? divideHalfEven(volume * 10n ** 18n, quoteVolume)
    : divideHalfEven(quoteVolume * 10n ** 18n, volume)
  const numbers: readonly (readonly [string, bigint | null, bigint | null])[] = [
    ['open', scaled(totals.first.price), scaled(candle.open)],
    ['close', scaled(totals.last.price), scaled(candle.close)],
    ['high', totals.high, scaled(candle.high)],
    ['low', totals.low, scaled(candle.low)],
    ['volume', volume, scaled(candle.volume)],
    ['buyVolume', totals.buyVolume, scaled(candle.buyVolume)],
    ['quoteVolume', quoteVolume, scaled(candle.quoteVolume)],
    [
      'notionalUsd',
      totals.notionalUsd,
      candle.notionalUsd === null ? null : scaled(candle.notionalUsd),
    ],
    ['vwap', vwap * 10n ** BigInt(places - 18), candle.vwap === null ? null : scaled(candle.vwap)],
    ['tradeCount', BigInt(totals.count), BigInt(candle.tradeCount)],
    ['firstSequence', orNull(totals.firstSequence), orNull(candle.firstSequence)],
    ['lastSequence', orNull(totals.lastSequence), orNull(candle.lastSequence)],
  ]
  return numbers
    .filter(([, trades, said]) => trades !== said)
    .map(([name, trades, said]) => `${name} of the trades is ${trades}, the candle says ${said}`)
}

function flatDifferences(candle: Candle): readonly string[] {
  const prices = [candle.open, candle.high, candle.low, candle.close].map(scaled)
  const isFlat =
    candle.tradeCount === 0 &&
    scaled(candle.volume) === 0n &&
    scaled(candle.quoteVolume) === 0n &&
    candle.vwap === null &&
    prices.every((price) => price === prices[0])
  return isFlat ? [] : [`no trade stands in it, the candle says ${candle.tradeCount}`]
}

function keyOf({ instrumentId, interval, windowStart }: Candle): string {
  return `${instrumentId} ${interval} ${windowStart}`
}

function endOf(key: string): number {
  const [, interval = '', start] = key.split(' ')
  return Number(start) + (isInterval(interval) ? intervalMs(interval) : 0)
}

function orNull(sequence: number | null): bigint | null {
  return sequence === null ? null : BigInt(sequence)
}

function scaled({ mantissa, exponent }: Decimal): bigint {
  return BigInt(mantissa) * 10n ** BigInt(places + exponent)
}

/** b is positive unless a combo's volume weighs prices below zero: rounds to the nearest, ties to even. */
function divideHalfEven(a: bigint, b: bigint): bigint {
  const sign = a < 0n !== b < 0n ? -1n : 1n
  const [n, d] = [a < 0n ? -a : a, b < 0n ? -b : b]
  const down = n / d
  const twice = 2n * (n % d)
  const isUp = twice > d || (twice === d && down % 2n === 1n)
  return sign * (isUp ? down + 1n : down)
}
