import type { Decimal, InstrumentKind } from '@tickertape/market-model'
import type { CountedTrade } from './counted-trade.ts'

/** Beyond this a sum's digits would grow without bound; parseDecimal refuses such numbers too. */
const maxExponent = 400

/** Whether a time is further ahead of its record's receivedAt than clocks may differ. */
export function isFromFuture(
  time: number,
  record: { readonly receivedAt: number },
  settings: { readonly futureToleranceMs: number },
): boolean {
  return time - record.receivedAt > settings.futureToleranceMs
}

/**
 * Whether a trade's numbers can be part of a candle. Combinations trade at zero and below; what is not
 * confirmed only has to be finite, for it does not count.
 */
export function isCountable(trade: CountedTrade, kind: InstrumentKind | null): boolean {
  const { price, quantity, notionalUsd } = trade
  return (
    isWithinRange(price) &&
    isWithinRange(quantity) &&
    (notionalUsd === null || isWithinRange(notionalUsd)) &&
    trade.eventTime >= 0 &&
    (trade.status !== 'confirmed' ||
      (quantity.mantissa > 0 && (price.mantissa > 0 || kind === 'combo')))
  )
}

function isWithinRange({ exponent }: Decimal): boolean {
  return exponent <= maxExponent && exponent >= -maxExponent
}
