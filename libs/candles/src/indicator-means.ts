import type { Decimal, EwmaState } from '@tickertape/market-model'
import type { AggregationPlan } from './aggregation-settings.ts'
import type { CountedTrade } from './counted-trade.ts'
import { emptyEwma, ewmaValue, observe } from '@tickertape/ewma'
import { decimalToNumber } from '@tickertape/market-model'
import { isBefore } from './trade-order.ts'

/** In the order of the plan's indicators. */
export type Means = readonly EwmaState[]

const noIndicators: Readonly<Record<string, number>> = Object.freeze({})

/**
 * The means after one more window.
 *
 * @param priceMeans what means of prices come to: they follow the trades, not the window's close.
 */
export function meansAfter(
  plan: AggregationPlan,
  before: Means,
  close: Decimal,
  windowEnd: number,
  priceMeans: Means,
): Means {
  if (plan.indicators.length === 0) return before
  const value = decimalToNumber(close)
  return plan.indicators.map(({ source, settings }, at) => {
    const state = before[at] ?? emptyEwma
    if (source === 'price') return priceMeans[at] ?? state
    // A price beyond a double's range is exact in the candle, but no part of a mean.
    return Number.isFinite(value) ? observe(settings, state, value, windowEnd) : state
  })
}

/** Means of prices after a window's trades, which may be in any order; other means as before. */
export function meansOfPrices(
  plan: AggregationPlan,
  before: Means,
  trades: readonly CountedTrade[],
): Means {
  if (!plan.hasPriceMeans) return before
  const counted = trades
    .filter(({ status }) => status === 'confirmed')
    .toSorted((a, b) => (isBefore(a, b) ? -1 : 1))
  return plan.indicators.map(({ source, settings }, at) => {
    let state = before[at] ?? emptyEwma
    if (source === 'close') return state
    for (const { price, eventTime } of counted) {
      const value = decimalToNumber(price)
      if (Number.isFinite(value)) state = observe(settings, state, value, eventTime)
    }
    return state
  })
}

/** Those that have a value, by name. */
export function indicatorValues(
  plan: AggregationPlan,
  means: Means,
): Readonly<Record<string, number>> {
  if (plan.indicators.length === 0) return noIndicators
  const values: Record<string, number> = {}
  for (const [at, { text, settings }] of plan.indicators.entries()) {
    const value = ewmaValue(settings, means[at] ?? emptyEwma)
    if (value !== null) values[text] = value
  }
  return values
}
