import type { MarketEvent, Trade } from '@tickertape/market-model'

/** What candles need of a trade: a reader may leave out the rest. */
export type CountedTrade = Pick<
  Trade,
  | 'venue'
  | 'feedId'
  | 'instrument'
  | 'tradeId'
  | 'version'
  | 'status'
  | 'sequence'
  | 'venueOrder'
  | 'price'
  | 'quantity'
  | 'notionalUsd'
  | 'takerSide'
  | 'eventTime'
  | 'receivedAt'
>

/** A record of market-events, as far as candles need it. */
export type AggregationEvent =
  | { readonly type: 'Trade'; readonly value: CountedTrade }
  | Exclude<MarketEvent, { readonly type: 'Trade' }>

/** A trade that was read from the log again. */
export interface LoggedTrade {
  readonly offset: number
  readonly trade: CountedTrade
}

/** Whether two records of one trade and version say the same of what candles are made of. */
export function saysTheSame(a: CountedTrade, b: CountedTrade): boolean {
  return (
    a.eventTime === b.eventTime &&
    a.status === b.status &&
    a.takerSide === b.takerSide &&
    // Decimals are in normal form: equal values have equal parts.
    a.price.mantissa === b.price.mantissa &&
    a.price.exponent === b.price.exponent &&
    a.quantity.mantissa === b.quantity.mantissa &&
    a.quantity.exponent === b.quantity.exponent
  )
}

/** Whether two records are of one trade: by sequence, or by id where there is none. */
export function isSameTrade(a: CountedTrade, b: CountedTrade): boolean {
  return a.sequence === null && b.sequence === null
    ? a.tradeId === b.tradeId
    : a.sequence === b.sequence
}
