import { multiplyDecimals, normalizeDecimal } from '@tickertape/market-model'
import type { Decimal, Trade } from '@tickertape/market-model'

import type { MappedTrade, MappingContext } from './mapped-trade.ts'
import { messageObject } from './message-object.ts'
import { elementText, exactInteger } from './raw-json.ts'
import { isObject, mappedRow, notA, positiveDecimal } from './venue-row.ts'

/** Of which market the rows are. */
export interface BinanceRows {
  /** The venue in an instrumentId. */
  readonly venue: string
  /**
   * Dollars of one contract, undefined if unknown: where quantities are counted in contracts, those of
   * trades are the dollars that the contracts are worth. Absent where quantities are in base.
   */
  readonly contractSize?: (instrument: string) => Decimal | undefined
}

const spotRows: BinanceRows = { venue: 'binance' }

/** What one message of a Binance combined stream says. */
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
 * Reads one WebSocket message: https://developers.binance.com, WebSocket streams, `trade` and
 * `aggTrade`.
 *
 * Prices and quantities are strings, so JSON.parse keeps their digits; an id that a double would
 * round is beyond the safe integers and is rejected as such.
 */
export function mapBinanceMessage(
  text: string,
  context: MappingContext,
  rows: BinanceRows = spotRows,
): BinanceMessage {
  const message = messageObject(text)
  if (typeof message === 'string') return { type: 'malformed', message }
  const event = 'data' in message ? message['data'] : message
  if (isObject(event) && 'e' in event) {
    if (event['e'] === 'serverShutdown') return { type: 'shutdown' }
    if (event['e'] !== 'trade' && event['e'] !== 'aggTrade') return { type: 'other' }
    return { type: 'trades', trades: [mapRow(streamRow(event), context, rows, () => text)] }
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
 * Reads an answer of historicalTrades or aggTrades.
 *
 * @throws SyntaxError or TypeError if it is none: the request has to be made again.
 */
export function mapBinanceHistory(
  instrument: string,
  text: string,
  context: MappingContext,
  rows: BinanceRows = spotRows,
): readonly MappedTrade[] {
  const answer: unknown = JSON.parse(text)
  if (!Array.isArray(answer)) {
    throw new TypeError(`Binance's answer holds no trades: ${text.slice(0, 200)}`)
  }
  return answer.map((row: unknown, index) =>
    mapRow(
      historyRow(instrument, row),
      context,
      rows,
      () => elementText(text, null, index) ?? text,
    ),
  )
}

/** The facts of a trade, under whichever names they came. */
interface Row {
  readonly instrument: unknown
  readonly id: unknown
  readonly isAggregate: boolean
  readonly price: unknown
  readonly quantity: unknown
  readonly time: unknown
  readonly buyerIsMaker: unknown
  /** How the trade came about, where the market tells. */
  readonly origin: unknown
}

function streamRow(event: Readonly<Record<string, unknown>>): Row {
  const isAggregate = event['e'] === 'aggTrade'
  return {
    instrument: event['s'],
    id: isAggregate ? event['a'] : event['t'],
    isAggregate,
    price: event['p'],
    quantity: event['q'],
    time: event['T'],
    buyerIsMaker: event['m'],
    origin: event['X'],
  }
}

function historyRow(instrument: string, row: unknown): Row {
  const read = isObject(row) ? row : {}
  // Aggregate trades have the stream's short names here too.
  if ('a' in read) return { ...streamRow({ ...read, e: 'aggTrade' }), instrument }
  return {
    instrument,
    id: read['id'],
    isAggregate: false,
    price: read['price'],
    quantity: read['qty'],
    time: read['time'],
    buyerIsMaker: read['isBuyerMaker'],
    origin: undefined,
  }
}

function mapRow(
  row: Row,
  context: MappingContext,
  rows: BinanceRows,
  original: () => string,
): MappedTrade {
  const { instrument } = row
  const sequence = exactInteger(row.id)
  return mappedRow({ trade: tradeOf(row, context, rows), instrument, sequence }, context, original)
}

/**
 * Trades that are made beside the order book: those of the insurance fund, of deleveraging, and ids
 * without any trade. They are no market trades, and the history leaves them out.
 */
const offBook = new Set<unknown>(['INSURANCE_FUND', 'ADL', 'NA'])

/** @returns the trade, or what is wrong with the row. */
function tradeOf(
  row: Row,
  { feedId, receivedAt }: MappingContext,
  { contractSize, venue }: BinanceRows,
): Trade | string {
  const { instrument } = row
  if (typeof instrument !== 'string' || instrument === '') return 'no symbol'
  const sequence = exactInteger(row.id)
  if (sequence === undefined) return notA('trade id', 'an integer below 2^53', row.id)
  if (offBook.has(row.origin)) return `no market trade: ${String(row.origin)}`
  const eventTime = exactInteger(row.time)
  if (eventTime === undefined) return notA('trade time', 'a time in milliseconds', row.time)
  const price = positiveDecimal(row.price)
  if (price === undefined) return notA('price', 'a positive number in quotes', row.price)
  const counted = positiveDecimal(row.quantity)
  if (counted === undefined) return notA('quantity', 'a positive number in quotes', row.quantity)
  const dollars = contractSize?.(instrument)
  if (contractSize !== undefined && dollars === undefined) {
    return `the size of a contract of ${instrument} is not known`
  }
  const quantity =
    dollars === undefined ? counted : normalizeDecimal(multiplyDecimals(counted, dollars))
  return {
    venue,
    feedId,
    instrument,
    tradeId: row.isAggregate ? `a${sequence}` : String(sequence),
    version: 0,
    status: 'confirmed',
    sequence,
    venueOrder: null,
    price,
    quantity,
    // Elsewhere quotes are dollar coins and other assets, none of which is the dollar.
    notionalUsd: dollars === undefined ? null : quantity,
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
