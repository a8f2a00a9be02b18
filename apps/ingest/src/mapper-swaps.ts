import { divideDecimals, noOptionalFacts, parseDecimal } from '@tickertape/market-model'
import type { Decimal, Trade, TradeStatus } from '@tickertape/market-model'

import type { MappingContext } from './mapped-trade.ts'
import type { NumberedEvent, NumberedEvents } from './mapper-numbered-events.ts'
import { exactInteger } from './raw-json.ts'
import { notA, positiveDecimal } from './venue-row.ts'

/** Swaps of tokens: seen while their transaction waits, then told to be in a block or to have failed. */
export const swapEvents: NumberedEvents = {
  fields: new Set([
    'instrument',
    'sequence',
    'txHash',
    'status',
    'fromToken',
    'fromAmount',
    'toToken',
    'toAmount',
    'usdValue',
    'timestamp',
  ]),
  trade: swapTrade,
}

/** Digits behind the point that a token's amounts have, and that prices get. */
const amountScale = 18

/** What a transaction came to. Both ends stand above the wait, and only one of them ever comes. */
const outcomes = new Map<unknown, { readonly status: TradeStatus; readonly version: number }>([
  ['pending', { status: 'pending', version: 0 }],
  ['confirmed', { status: 'confirmed', version: 1 }],
  ['failed', { status: 'cancelled', version: 1 }],
])

const txHashPattern = /^0x[0-9a-f]{64}$/

/** @returns the trade of the pair, or what is wrong with the event. */
function swapTrade(
  { instrument, row, sequence }: NumberedEvent,
  { feedId, receivedAt }: MappingContext,
): Trade | string {
  const { fromToken, toToken, txHash } = row
  if (typeof txHash !== 'string' || !txHashPattern.test(txHash)) {
    return notA('txHash', '0x and 64 hexadecimal digits', txHash)
  }
  const outcome = outcomes.get(row['status'])
  if (outcome === undefined) {
    return notA('status', 'pending, confirmed or failed', row['status'])
  }
  const [baseToken, quoteToken, ...more] = instrument.split('-')
  if (!baseToken || !quoteToken || more.length > 0) {
    return notA('instrument', 'a pair of tokens', instrument)
  }
  const sells = fromToken === baseToken && toToken === quoteToken
  const buys = fromToken === quoteToken && toToken === baseToken
  if (!sells && !buys) {
    return `fromToken ${String(fromToken)} and toToken ${String(toToken)} are not the two of ${instrument}`
  }
  const from = tokenAmount(row['fromAmount'])
  if (from === undefined) return notA('fromAmount', amountForm, row['fromAmount'])
  const to = tokenAmount(row['toAmount'])
  if (to === undefined) return notA('toAmount', amountForm, row['toAmount'])
  const usdValue = usdValueOf(row['usdValue'])
  if (usdValue === undefined) {
    return notA('usdValue', 'a number in quotes that is not negative, or null', row['usdValue'])
  }
  const eventTime = exactInteger(row['timestamp'])
  if (eventTime === undefined) {
    return notA('timestamp', 'a time in milliseconds', row['timestamp'])
  }
  const quantity = sells ? from : to
  const price = divideDecimals(sells ? to : from, quantity, amountScale)
  if (price.mantissa === 0) return 'its price has no digit among the first 18 behind the point'
  return {
    venue: 'swaps',
    feedId,
    instrument,
    tradeId: txHash,
    version: outcome.version,
    status: outcome.status,
    sequence: null,
    venueOrder: sequence,
    price,
    quantity,
    notionalUsd: usdValue,
    takerSide: sells ? 'sell' : 'buy',
    eventTime,
    receivedAt,
    ...noOptionalFacts,
    txHash,
    baseToken,
    quoteToken,
  }
}

const amountForm = `a positive number in quotes with at most ${amountScale} digits behind the point`

function tokenAmount(value: unknown): Decimal | undefined {
  const amount = positiveDecimal(value)
  return amount === undefined || amount.exponent < -amountScale ? undefined : amount
}

/** @returns null where the value is not known; undefined if it is no value. */
function usdValueOf(value: unknown): Decimal | null | undefined {
  if (value === null) return null
  const read = typeof value === 'string' ? parseDecimal(value) : undefined
  return read === undefined || read.mantissa < 0 ? undefined : read
}
