import { formatDecimal } from '@tickertape/market-model'
import type { Trade } from '@tickertape/market-model'

import { nullableDecimal, nullableText } from './json-values.ts'

/** A trade as a TradeResource that has not expired: see `expiredTradeJson`. */
export function tradeJson(instrumentId: string, trade: Trade): string {
  return (
    `{"instrumentId":${JSON.stringify(instrumentId)},"tradeId":${JSON.stringify(trade.tradeId)}` +
    `,"version":${trade.version},"status":"${trade.status}","sequence":${trade.sequence}` +
    `,"price":"${formatDecimal(trade.price)}","quantity":"${formatDecimal(trade.quantity)}"` +
    `,"notionalUsd":${nullableDecimal(trade.notionalUsd)},"takerSide":"${trade.takerSide}"` +
    `,"eventTime":${trade.eventTime},"receivedAt":${trade.receivedAt}` +
    `,"impliedVolatility":${nullableDecimal(trade.impliedVolatility)}` +
    `,"liquidation":${nullableText(trade.liquidation)}` +
    `,"counterparty":${nullableText(trade.counterparty)},"book":${nullableText(trade.book)}` +
    `,"maturesAt":${trade.maturesAt}${notExpired},"txHash":${nullableText(trade.txHash)}` +
    `,"baseToken":${nullableText(trade.baseToken)},"quoteToken":${nullableText(trade.quoteToken)}}`
  )
}

/** Within a text of JSON a quotation mark has a backslash before it: this stands in no value. */
const notExpired = ',"expired":false'

/** The same once its `maturesAt` has passed. */
export function expiredTradeJson(json: string): string {
  return json.replace(notExpired, ',"expired":true')
}
