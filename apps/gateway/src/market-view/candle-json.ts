import { formatDecimal } from '@tickertape/market-model'
import type { Candle } from '@tickertape/market-model'

import { nullableDecimal } from './json-values.ts'

/**
 * A candle as a CandleResource: what `JSON.stringify` of the resource gives, in a third of its time, for
 * none is made.
 */
export function candleJson(candle: Candle): string {
  return (
    `{"instrumentId":${JSON.stringify(candle.instrumentId)},"interval":"${candle.interval}"` +
    `,"windowStart":${candle.windowStart},"windowEnd":${candle.windowEnd}` +
    `,"open":"${formatDecimal(candle.open)}","high":"${formatDecimal(candle.high)}"` +
    `,"low":"${formatDecimal(candle.low)}","close":"${formatDecimal(candle.close)}"` +
    `,"volume":"${formatDecimal(candle.volume)}","buyVolume":"${formatDecimal(candle.buyVolume)}"` +
    `,"quoteVolume":"${formatDecimal(candle.quoteVolume)}"` +
    `,"notionalUsd":${nullableDecimal(candle.notionalUsd)},"vwap":${nullableDecimal(candle.vwap)}` +
    `,"tradeCount":${candle.tradeCount},"indicators":${indicatorsJson(candle.indicators)}` +
    `,"quality":"${candle.quality}","revision":${candle.revision},"final":${candle.final}` +
    `,"firstSequence":${candle.firstSequence},"lastSequence":${candle.lastSequence}` +
    `,"rebuildId":${candle.rebuildId}}`
  )
}

/** In the order in which PostgreSQL's jsonb gives them back, so that a candle is the same bytes from there. */
function indicatorsJson(indicators: Candle['indicators']): string {
  const names = Object.keys(indicators)
  if (names.length < 2) return JSON.stringify(indicators)
  return JSON.stringify(
    Object.fromEntries(names.sort(byLengthAndBytes).map((name) => [name, indicators[name]])),
  )
}

function byLengthAndBytes(a: string, b: string): number {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length - right.length || Buffer.compare(left, right)
}
