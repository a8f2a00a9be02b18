import { noOptionalFacts } from '@tickertape/market-model'
import type { Decimal, TakerSide, Trade } from '@tickertape/market-model'

import type { BybitMarket } from './bybit-market.ts'
import type { MappedTrade, MappingContext } from './mapped-trade.ts'
import { messageObject } from './message-object.ts'
import { elementText, exactInteger } from './raw-json.ts'
import { isObject, mappedRow, notA, positiveDecimal } from './venue-row.ts'

/** What one message of Bybit's public WebSocket says. */
export type BybitMessage =
  | { readonly type: 'trades'; readonly trades: readonly MappedTrade[] }
  /** The answer to a request, whose topics it does not name, but for one that it refuses. */
  | {
      readonly type: 'answer'
      /** undefined where the request had none. */
      readonly id: number | undefined
      readonly success: boolean
      readonly message: string
    }
  | { readonly type: 'pong' }
  /** Topics that carry no trades. */
  | { readonly type: 'other' }
  | { readonly type: 'malformed'; readonly message: string }

/**
 * Reads one WebSocket message: https://bybit-exchange.github.io/docs/v5, "WebSocket Stream", "Trade".
 *
 * Prices and quantities are strings, so JSON.parse keeps their digits. The venue's `seq` is equal for all
 * trades of a sweep and jumps between them: a trade has no sequence.
 */
export function mapBybitMessage(
  text: string,
  market: BybitMarket,
  context: MappingContext,
): BybitMessage {
  const message = messageObject(text)
  if (typeof message === 'string') return { type: 'malformed', message }
  const { data, op, topic } = message
  if (typeof topic === 'string') {
    if (!topic.startsWith('publicTrade.')) return { type: 'other' }
    if (!Array.isArray(data))
      return { type: 'malformed', message: `a push of ${topic} without data` }
    return { type: 'trades', trades: mapRows(data.map(streamRow), text, 'data', market, context) }
  }
  if (op === 'ping' || op === 'pong') return { type: 'pong' }
  if (typeof message['success'] === 'boolean') {
    return {
      type: 'answer',
      id: exactInteger(message['req_id']),
      success: message['success'],
      message: String(message['ret_msg']),
    }
  }
  return { type: 'malformed', message: 'neither a push nor an answer' }
}

/** Bybit's answer over REST says that it failed; its HTTP status may be 200 all the same. */
export class BybitRefusal extends Error {
  override readonly name = 'BybitRefusal'
  readonly code: number

  constructor(code: number, message: string) {
    super(`Bybit answered ${code} ${message}`)
    this.code = code
  }
}

/**
 * The result of an answer over REST, `{"retCode":0,"retMsg":"OK","result":{…},"time":…}`.
 *
 * @throws BybitRefusal; SyntaxError or TypeError if it is no answer: the request has to be made again.
 */
export function bybitResult(text: string): Readonly<Record<string, unknown>> {
  const answer: unknown = JSON.parse(text)
  if (!isObject(answer)) throw new TypeError(`Bybit's answer is no object: ${text.slice(0, 200)}`)
  const { result, retCode, retMsg } = answer
  if (retCode !== 0) throw new BybitRefusal(Number(retCode), String(retMsg))
  if (!isObject(result)) throw new TypeError(`Bybit's answer has no result: ${text.slice(0, 200)}`)
  return result
}

/**
 * Reads an answer of GET /v5/market/recent-trade.
 *
 * @returns the trades, the oldest first; Bybit tells the newest first.
 * @throws as bybitResult does.
 */
export function mapBybitRecent(
  text: string,
  market: BybitMarket,
  context: MappingContext,
): readonly MappedTrade[] {
  const { list } = bybitResult(text)
  if (!Array.isArray(list)) throw new TypeError(`Bybit's answer has no list: ${text.slice(0, 200)}`)
  return mapRows(list.map(recentRow), text, 'list', market, context).toReversed()
}

/** The facts of a trade, under whichever names they came. */
interface Row {
  readonly instrument: unknown
  readonly id: unknown
  readonly price: unknown
  readonly quantity: unknown
  readonly time: unknown
  readonly side: unknown
  readonly tick: unknown
}

function streamRow(row: unknown): Row {
  const { L: tick, S: side, T: time, i: id, p: price, s: instrument, v: quantity } = fieldsOf(row)
  return { instrument, id, price, quantity, time, side, tick }
}

function recentRow(row: unknown): Row {
  const { execId: id, price, side, size: quantity, symbol: instrument, time } = fieldsOf(row)
  return { instrument, id, price, quantity, time, side, tick: undefined }
}

function fieldsOf(row: unknown): Readonly<Record<string, unknown>> {
  return isObject(row) ? row : {}
}

function mapRows(
  rows: readonly Row[],
  text: string,
  field: string,
  market: BybitMarket,
  context: MappingContext,
): MappedTrade[] {
  return rows.map((row, index) =>
    mappedRow(
      {
        trade: tradeOf(row, market, context),
        instrument: row.instrument,
        sequence: isId(row.id) ? null : undefined,
      },
      context,
      () => elementText(text, field, index) ?? text,
    ),
  )
}

/** @returns the trade, or what is wrong with the row. */
function tradeOf(
  row: Row,
  { category, venue }: BybitMarket,
  { feedId, receivedAt }: MappingContext,
): Trade | string {
  if (typeof row.instrument !== 'string' || row.instrument === '') return 'no symbol'
  if (!isId(row.id)) return notA('trade id', 'a text', row.id)
  const eventTime = exactInteger(row.time)
  if (eventTime === undefined) return notA('trade time', 'a time in milliseconds', row.time)
  const price = positiveDecimal(row.price)
  if (price === undefined) return notA('price', 'a positive number in quotes', row.price)
  const quantity = positiveDecimal(row.quantity)
  if (quantity === undefined) return notA('quantity', 'a positive number in quotes', row.quantity)
  return {
    venue,
    feedId,
    instrument: row.instrument,
    tradeId: row.id,
    version: 0,
    status: 'confirmed',
    sequence: null,
    venueOrder: null,
    price,
    quantity,
    notionalUsd: notionalUsdOf(category, quantity),
    takerSide: takerSideOf(row.side),
    eventTime,
    receivedAt,
    ...noOptionalFacts,
    tickDirection: tickDirections.get(row.tick) ?? null,
  }
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

/** An inverse contract is one US dollar; the other markets are priced in coins, none of which is the dollar. */
function notionalUsdOf(category: BybitMarket['category'], quantity: Decimal): Decimal | null {
  return category === 'inverse' ? quantity : null
}

function takerSideOf(side: unknown): TakerSide {
  return side === 'Buy' ? 'buy' : side === 'Sell' ? 'sell' : 'unknown'
}

/** By the codes of Deribit, as the record has them. */
const tickDirections: ReadonlyMap<unknown, number> = new Map([
  ['PlusTick', 0],
  ['ZeroPlusTick', 1],
  ['MinusTick', 2],
  ['ZeroMinusTick', 3],
])
