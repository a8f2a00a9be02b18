import type { Candle, Interval, WindowSums } from '@tickertape/market-model'
import { divideDecimals } from '@tickertape/market-model'
import { quotientScale } from './trade-sums.ts'

/** What a candle says besides its numbers. */
export interface CandleFacts {
  readonly instrumentId: string
  readonly interval: Interval
  readonly windowEnd: number
  readonly inverse: boolean
  readonly indicators: Readonly<Record<string, number>>
  readonly revision: number
  readonly final: boolean
  readonly rebuildId: number | null
}

export function candleOf(sums: WindowSums, facts: CandleFacts): Candle {
  return {
    instrumentId: facts.instrumentId,
    interval: facts.interval,
    windowStart: sums.windowStart,
    windowEnd: facts.windowEnd,
    open: sums.open,
    high: sums.high,
    low: sums.low,
    close: sums.close,
    volume: sums.volume,
    buyVolume: sums.buyVolume,
    quoteVolume: sums.quoteVolume,
    notionalUsd: sums.notionalUsd,
    vwap: vwapOf(sums, facts.inverse),
    tradeCount: sums.tradeCount,
    indicators: facts.indicators,
    quality: sums.quality,
    revision: facts.revision,
    final: facts.final,
    firstSequence: sums.firstSequence,
    lastSequence: sums.lastSequence,
    rebuildId: facts.rebuildId,
  }
}

/** quoteVolume / volume; on an inverse contract, whose volume is in quote, volume / quoteVolume. */
function vwapOf({ volume, quoteVolume }: WindowSums, inverse: boolean) {
  const [quote, base] = inverse ? [volume, quoteVolume] : [quoteVolume, volume]
  return base.mantissa === 0 ? null : divideDecimals(quote, base, quotientScale)
}
