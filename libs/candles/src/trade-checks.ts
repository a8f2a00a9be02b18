import type { Decimal, Trade } from '@tickertape/market-model'

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

/** Whether a trade's numbers can be part of a candle. */
export function isCountable(trade: Trade): boolean {
  const { price, quantity, notionalUsd } = trade
  return (
    isPositive(price) &&
    isPositive(quantity) &&
    (notionalUsd === null || isWithinRange(notionalUsd)) &&
    trade.eventTime >= 0
  )
}

function isPositive(value: Decimal): boolean {
  return value.mantissa > 0 && isWithinRange(value)
}

function isWithinRange({ exponent }: Decimal): boolean {
  return exponent <= maxExponent && exponent >= -maxExponent
}
