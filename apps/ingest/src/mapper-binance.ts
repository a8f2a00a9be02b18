import { parseDecimal } from '@tickertape/market-model'
import type { Trade } from '@tickertape/market-model'

import { futureMessage } from './mapped-trade.ts'
import type { MappedTrade, MappingContext } from './mapped-trade.ts'
import { elementText, exactInteger } from './raw-json.ts'

/** What one message of a Binance spot combined stream says. */
export type BinanceMessage =
  | { readonly type: 'trades'; readonly trades: readonly MappedTrade[] }
  | { readonly type: 'answer'; readonly id: number; readonly result: unknown }
  | { readonly type: 'error'; readonly id: number | undefined; readonly message: string }
  /** The venue is about to close the connection. */
  | { readonly type: 'shutdown' }
  /** Events of streams that carry no trades. */
  | { readonly type: 'other' }
  | { readonly type: 'malformed'; readonly message: string }

/**
 * Reads one WebSocket message: https://developers.binance.com, spot, WebSocket streams.
 *
 * Prices and quantities are strings, so JSON.parse keeps their digits; an id that a double would
 * round is beyond the safe integers and is rejected as such.
 */
export function mapBinanceMessage(text: string, context: MappingContext): BinanceMessage {
  let message: unknown
  try {
    message = JSON.parse(text)
  } catch (error) {
    return { type: 'malformed', message: String(error) }
  }
  if (!isObject(message)) return { type: 'malformed', message: 'not a JSON object' }
  const event = 'data' in message ? message['data'] : message
  if (isObject(event) && 'e' in event) {
    if (event['e'] === 'serverShutdown') return { type: 'shutdown' }
    if (event['e'] !== 'trade') return { type: 'other' }
    return { type: 'trades', trades: [mapRow(streamRow(event), context, () => text)] }
  }
  const id = exactInteger(message['id'])
  const failure = message['error'] ?? (typeof message['code'] === 'number' ? message : undefined)
  if (isObject(failure)) {
    return { type: 'error', id, message: `${String(failure['code'])} ${String(failure['msg'])}` }
  }
  if (id === undefined || !('result' in message)) {
    return { type: 'malformed', message: 'neither an event nor an answer' }
  }
  return { type: 'answer', id, result: message['result'] }
}

/**
 * Reads an answer of GET /api/v3/historicalTrades.
 *
 * @throws SyntaxError or TypeError if it is none: the request has to be made again.
 */
export function mapBinanceHistory(
  instrument: string,
  text: string,
  context: MappingContext,
): readonly MappedTrade[] {
  const rows: unknown = JSON.parse(text)
  if (!Array.isArray(rows)) {
    throw new TypeError(`Binance's answer holds no trades: ${text.slice(0, 200)}`)
  }
  return rows.map((row: unknown, index) =>
    mapRow(historyRow(instrument, row), context, () => elementText(text, null, index) ?? text),
  )
}

/** The facts of a trade, under whichever names they came. */
interface Row {
  readonly instrument: unknown
  readonly id: unknown
  readonly price: unknown
  readonly quantity: unknown
  readonly time: unknown
  readonly buyerIsMaker: unknown
}

function streamRow(event: Readonly<Record<string, unknown>>): Row {
  return {
    instrument: event['s'],
    id: event['t'],
    price: event['p'],
    quantity: event['q'],
    time: event['T'],
    buyerIsMaker: event['m'],
  }
}

function historyRow(instrument: string, row: unknown): Row {
  const read = isObject(row) ? row : {}
  return {
    instrument,
    id: read['id'],
    price: read['price'],
    quantity: read['qty'],
    time: read['time'],
    buyerIsMaker: read['isBuyerMaker'],
  }
}

function mapRow(row: Row, context: MappingContext, original: () => string): MappedTrade {
  const mapped = tradeOf(row, context)
  const sequence = exactInteger(row.id)
  if (typeof mapped === 'string') return rejection('invalid', mapped)
  if (sequence === undefined) return rejection('invalid', 'its id is no exact integer')
  const future = futureMessage(mapped, context.futureToleranceMs)
  if (future !== undefined) return rejection('future', future)
  return { kind: 'trade', trade: mapped, sequence }

  function rejection(reason: 'future' | 'invalid', message: string): MappedTrade {
    return {
      kind: 'rejected',
      reason,
      message,
      original: original(),
      instrument: typeof row.instrument === 'string' ? row.instrument : undefined,
      sequence,
    }
  }
}

/** @returns the trade, or what is wrong with the row. */
function tradeOf(row: Row, { feedId, receivedAt }: MappingContext): Trade | string {
  if (typeof row.instrument !== 'string' || row.instrument === '') return 'no symbol'
  const sequence = exactInteger(row.id)
  if (sequence === undefined) return notA('trade id', 'an integer below 2^53', row.id)
  const eventTime = exactInteger(row.time)
  if (eventTime === undefined) return notA('trade time', 'a time in milliseconds', row.time)
  const price = typeof row.price === 'string' ? parseDecimal(row.price) : undefined
  if (price === undefined || price.mantissa <= 0) {
    return notA('price', 'a positive number in quotes', row.price)
  }
  const quantity = typeof row.quantity === 'string' ? parseDecimal(row.quantity) : undefined
  if (quantity === undefined || quantity.mantissa <= 0) {
    return notA('quantity', 'a positive number in quotes', row.quantity)
  }
  return {
    venue: 'binance',
    feedId,
    instrument: row.instrument,
    tradeId: String(sequence),
    version: 0,
    status: 'confirmed',
    sequence,
    venueOrder: null,
    price,
    quantity,
    // The spot markets quote in dollar coins and other assets, none of which is the dollar.
    notionalUsd: null,
    takerSide: row.buyerIsMaker === true ? 'sell' : row.buyerIsMaker === false ? 'buy' : 'unknown',
    eventTime,
    receivedAt,
    indexPrice: null,
    markPrice: null,
    impliedVolatility: null,
    liquidation: null,
    tickDirection: null,
    counterparty: null,
    book: null,
    maturesAt: null,
    txHash: null,
    baseToken: null,
    quoteToken: null,
  }
}

function notA(field: string, wanted: string, value: unknown): string {
  return `${field} is not ${wanted}: ${JSON.stringify(value) ?? 'missing'}`
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
