import type { Decimal, Trade } from '@tickertape/market-model'
import { isPartitionable } from '@tickertape/market-store'

import { whyNotStorable } from './storable.ts'

const times = ['eventTime', 'receivedAt', 'maturesAt']
const keys = ['venue', 'instrument', 'tradeId', 'feedId']

/** Names in ASCII, as nearly all are. */
const plain = /^[!-~]{1,200}$/

/** Years 2009 to 2099: within them nothing about a time can be wrong. */
const plainTimeFrom = Date.UTC(2009, 0, 1)
const plainTimeTo = Date.UTC(2100, 0, 1)

/** Why PostgreSQL would refuse a decoded trade, or there is no partition for it; undefined if it can be a row. */
export function whyTradeNotStorable(trade: Trade): string | undefined {
  if (isPlain(trade)) return undefined
  const problem = whyNotStorable(trade, times, keys)
  if (problem !== undefined || isPartitionable(trade.eventTime)) return problem
  return `eventTime is ${trade.eventTime} ms, beyond the years 2009 to 2099`
}

/** Whether it is beyond doubt that a trade can be stored: quick, and true of nearly all. */
function isPlain(trade: Trade): boolean {
  return (
    isPlainTime(trade.eventTime) &&
    isPlainTime(trade.receivedAt) &&
    isPlainDecimal(trade.price) &&
    isPlainDecimal(trade.quantity) &&
    (trade.notionalUsd === null || isPlainDecimal(trade.notionalUsd)) &&
    (trade.indexPrice === null || isPlainDecimal(trade.indexPrice)) &&
    (trade.markPrice === null || isPlainDecimal(trade.markPrice)) &&
    (trade.impliedVolatility === null || isPlainDecimal(trade.impliedVolatility)) &&
    trade.liquidation === null &&
    trade.counterparty === null &&
    trade.txHash === null &&
    trade.maturesAt === null &&
    trade.book === null &&
    trade.baseToken === null &&
    trade.quoteToken === null &&
    plain.test(trade.tradeId) &&
    plain.test(trade.instrument) &&
    plain.test(trade.venue) &&
    plain.test(trade.feedId)
  )
}

function isPlainTime(time: number): boolean {
  return time >= plainTimeFrom && time < plainTimeTo
}

function isPlainDecimal({ mantissa, exponent }: Decimal): boolean {
  return typeof mantissa === 'number' && exponent <= 30 && exponent >= -30
}
