import { noOptionalFacts, parseDecimal } from '@tickertape/market-model'
import type { Decimal, TakerSide, Trade } from '@tickertape/market-model'

import { worthInDollars } from './dollar-worth.ts'
import { isoMilliseconds } from './iso-time.ts'
import type { MappedTrade, MappingContext } from './mapped-trade.ts'
import { messageObject } from './message-object.ts'
import { elementText, exactInteger, parseExact, wideNumberIn } from './raw-json.ts'
import { isObject, mappedRow, notA } from './venue-row.ts'

/** What one message of Kraken's WebSocket, version 2, says. */
export type KrakenMessage =
  | { readonly type: 'trades'; readonly trades: readonly MappedTrade[] }
  | { readonly type: 'subscribed'; readonly instrument: string }
  | { readonly type: 'refused'; readonly instrument: string; readonly message: string }
  /** `time` in milliseconds since the epoch. */
  | { readonly type: 'pong'; readonly id: number; readonly time: number | undefined }
  | { readonly type: 'error'; readonly id: number | undefined; readonly message: string }
  /** What the venue's matching engine is doing: `online`, `maintenance`, … */
  | { readonly type: 'status'; readonly system: string }
  /** Heartbeats, and channels that carry no trades. */
  | { readonly type: 'other' }
  | { readonly type: 'malformed'; readonly message: string }

const wideNumber = wideNumberIn(['price', 'qty', 'trade_id'])

/**
 * Reads one WebSocket message: https://docs.kraken.com/api, "WebSocket v2", trade and ping. Its prices and
 * quantities are numbers; one that a double would round keeps its digits.
 */
export function mapKrakenMessage(text: string, context: MappingContext): KrakenMessage {
  const message = messageObject(text, (json) => parseExact(json, wideNumber))
  if (typeof message === 'string') return { type: 'malformed', message }
  if (typeof message['method'] === 'string') return mapAnswer(message['method'], message)
  const { channel, data } = message
  if (typeof channel !== 'string') {
    if (typeof message['error'] !== 'string') {
      return { type: 'malformed', message: 'neither a channel nor an answer' }
    }
    return { type: 'error', id: exactInteger(message['req_id']), message: message['error'] }
  }
  if (channel === 'status') {
    const first: unknown = Array.isArray(data) ? data[0] : undefined
    return { type: 'status', system: String(isObject(first) ? first['system'] : undefined) }
  }
  if (channel !== 'trade') return { type: 'other' }
  if (!Array.isArray(data)) return { type: 'malformed', message: 'a push of trade without data' }
  return {
    type: 'trades',
    trades: data.map((row, index) =>
      mapRow(streamRow(row), context, () => elementText(text, 'data', index) ?? text),
    ),
  }
}

function mapAnswer(method: string, message: Readonly<Record<string, unknown>>): KrakenMessage {
  const id = exactInteger(message['req_id'])
  const { error, result, symbol } = message
  if (method === 'pong') {
    if (id === undefined) return { type: 'malformed', message: 'a pong without a req_id' }
    return { type: 'pong', id, time: isoMilliseconds(message['time_out']) }
  }
  if (error !== undefined || message['success'] === false) {
    const said = String(error)
    if (method === 'subscribe' && typeof symbol === 'string') {
      return { type: 'refused', instrument: symbol, message: said }
    }
    return { type: 'error', id, message: said }
  }
  if (method !== 'subscribe') return { type: 'other' }
  if (!isObject(result) || typeof result['symbol'] !== 'string') {
    return { type: 'malformed', message: 'an acknowledgement without a symbol' }
  }
  return { type: 'subscribed', instrument: result['symbol'] }
}

/** Kraken's answer over REST says that it failed; its HTTP status is 200 all the same. */
export class KrakenRefusal extends Error {
  override readonly name = 'KrakenRefusal'
  /** `EGeneral:Too many requests` and the like. */
  readonly errors: readonly string[]

  constructor(errors: readonly string[]) {
    super(`Kraken answered ${errors.join(', ')}`)
    this.errors = errors
  }
}

/**
 * The result of an answer over REST, `{"error":[],"result":{…}}`; each number is its text.
 *
 * @throws KrakenRefusal; SyntaxError or TypeError if it is no answer: the request has to be made again.
 */
export function krakenResult(text: string): Readonly<Record<string, unknown>> {
  const answer = parseExact(text, everyNumber)
  if (!isObject(answer)) throw new TypeError(`Kraken's answer is no object: ${text.slice(0, 200)}`)
  const { error, result } = answer
  if (Array.isArray(error) && error.length > 0) throw new KrakenRefusal(error.map(String))
  if (!isObject(result)) throw new TypeError(`Kraken's answer is empty: ${text.slice(0, 200)}`)
  return result
}

/** A page is asked for seldom: all its numbers keep their text, its times above all. */
const everyNumber = /\d/

/** A row of the history, with its time as Kraken asks for it. */
export interface KrakenPastTrade {
  readonly mapped: MappedTrade
  /** Nanoseconds since the epoch; as exact as a double, which is what the venue writes. */
  readonly nanoseconds: bigint | undefined
}

/**
 * Reads an answer of GET /0/public/Trades: the trades of one pair, ascending.
 *
 * A trade's time is a double there, good for a quarter of a microsecond, where the WebSocket cuts
 * microseconds off: the last digits before a millisecond ends may round into the next one.
 *
 * @throws as krakenResult does.
 */
export function mapKrakenHistory(
  instrument: string,
  text: string,
  context: MappingContext,
): readonly KrakenPastTrade[] {
  const result = krakenResult(text)
  // Beside the pair, under whichever of its names, stands `last` alone.
  const rows = Object.entries(result).find(([name]) => name !== 'last')?.[1]
  if (!Array.isArray(rows)) {
    throw new TypeError(`Kraken's answer holds no trades: ${text.slice(0, 200)}`)
  }
  return rows.map((row: unknown, index) => {
    const read = pastRow(instrument, row)
    const { nanoseconds } = read
    const time = nanoseconds === undefined ? undefined : Number(nanoseconds / 1_000_000n)
    const original = (): string => pastRowText(text, index) ?? text
    return { mapped: mapRow({ ...read, time }, context, original), nanoseconds }
  })
}

/** The facts of a trade, under whichever names they came. */
interface Row {
  readonly instrument: unknown
  readonly id: unknown
  readonly price: unknown
  readonly quantity: unknown
  /** Milliseconds since the epoch. */
  readonly time: number | undefined
  readonly side: unknown
}

function streamRow(row: unknown): Row {
  const read = isObject(row) ? row : {}
  return {
    instrument: read['symbol'],
    id: read['trade_id'],
    price: read['price'],
    quantity: read['qty'],
    time: isoMilliseconds(read['timestamp']),
    side: read['side'],
  }
}

/** `[price, volume, seconds, "b" or "s", "m" or "l", miscellaneous, trade_id]` */
function pastRow(
  instrument: string,
  row: unknown,
): Omit<Row, 'time'> & { readonly nanoseconds: bigint | undefined } {
  const fields: readonly unknown[] = Array.isArray(row) ? row : []
  const [price, quantity, seconds, side, , , id] = fields
  return {
    instrument,
    id,
    price,
    quantity,
    nanoseconds: nanosecondsOf(seconds),
    side: side === 'b' ? 'buy' : side === 's' ? 'sell' : side,
  }
}

function nanosecondsOf(seconds: unknown): bigint | undefined {
  const match = typeof seconds === 'string' ? /^(\d+)(?:\.(\d{1,9}))?$/.exec(seconds) : null
  return match === null ? undefined : BigInt(`${match[1]}${(match[2] ?? '').padEnd(9, '0')}`)
}

function pastRowText(text: string, index: number): string | undefined {
  const pair = /"([^"]+)"\s*:\s*\[\s*\[/.exec(text)?.[1]
  return pair === undefined ? undefined : elementText(text, pair, index)
}

function mapRow(row: Row, context: MappingContext, original: () => string): MappedTrade {
  const { id, instrument } = row
  const trade = tradeOf(row, context)
  return mappedRow({ trade, instrument, sequence: exactInteger(id) }, context, original)
}

/** @returns the trade, or what is wrong with the row. */
function tradeOf(row: Row, { feedId, receivedAt }: MappingContext): Trade | string {
  const { instrument, time } = row
  if (typeof instrument !== 'string' || instrument === '') return 'no symbol'
  const sequence = exactInteger(row.id)
  if (sequence === undefined) return notA('trade_id', 'an integer below 2^53', row.id)
  if (time === undefined) return 'its time cannot be read'
  const price = positiveNumber(row.price)
  if (price === undefined) return notA('price', 'a positive number', row.price)
  const quantity = positiveNumber(row.quantity)
  if (quantity === undefined) return notA('quantity', 'a positive number', row.quantity)
  const [, quote = ''] = instrument.split('/')
  return {
    venue: 'kraken',
    feedId,
    instrument,
    tradeId: String(sequence),
    version: 0,
    status: 'confirmed',
    sequence,
    venueOrder: null,
    price,
    quantity,
    notionalUsd: worthInDollars(quote, price, quantity),
    takerSide: takerSideOf(row.side),
    eventTime: time,
    receivedAt,
    ...noOptionalFacts,
  }
}

/** As `parseExact` leaves it: the number, or its text. */
function positiveNumber(value: unknown): Decimal | undefined {
  if (typeof value !== 'number' && typeof value !== 'string') return undefined
  const decimal = parseDecimal(String(value))
  return decimal === undefined || decimal.mantissa <= 0 ? undefined : decimal
}

function takerSideOf(side: unknown): TakerSide {
  return side === 'buy' || side === 'sell' ? side : 'unknown'
}
