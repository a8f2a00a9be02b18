import { multiplyDecimals, normalizeDecimal, parseDecimal } from '@tickertape/market-model'
import type { Decimal, TakerSide, Trade } from '@tickertape/market-model'

import { isDeribitCombo } from './deribit-names.ts'
import { timeProblem } from './mapped-trade.ts'
import type { MappedTrade, MappingContext } from './mapped-trade.ts'
import { messageObject } from './message-object.ts'
import { elementText, exactInteger, parseExact, wideNumberIn } from './raw-json.ts'

/** What one message of Deribit's JSON-RPC interface says. */
export type DeribitMessage =
  | {
      readonly type: 'trades'
      readonly channel: string
      readonly trades: readonly MappedTrade[]
    }
  | { readonly type: 'answer'; readonly id: number; readonly result: unknown }
  | { readonly type: 'error'; readonly id: number | undefined; readonly error: DeribitError }
  | { readonly type: 'test_request' }
  /** Heartbeats and notifications of channels that carry no trades. */
  | { readonly type: 'other' }
  | { readonly type: 'malformed'; readonly message: string }

export interface DeribitError {
  readonly code: number
  readonly message: string
}

/** Numbers whose digits matter; others in a row, such as `starbase_match_id`, are not read. */
const wideNumber = wideNumberIn([
  'price',
  'amount',
  'index_price',
  'mark_price',
  'iv',
  'trade_id',
  'trade_seq',
  'timestamp',
])

/** Reads one WebSocket message: https://docs.deribit.com, JSON-RPC and `trades.{…}` channels. */
export function mapDeribitMessage(text: string, context: MappingContext): DeribitMessage {
  const message = messageObject(text, (json) => parseExact(json, wideNumber))
  if (typeof message === 'string') return { type: 'malformed', message }
  const { method, params, error } = message
  if (method === 'subscription') return mapNotification(params, text, context)
  if (method === 'heartbeat') {
    const asked = isObject(params) && params['type'] === 'test_request'
    return { type: asked ? 'test_request' : 'other' }
  }
  const id = exactInteger(message['id'])
  if (isObject(error)) {
    return {
      type: 'error',
      id,
      error: { code: Number(error['code']), message: String(error['message']) },
    }
  }
  if (id === undefined || !('result' in message)) {
    return { type: 'malformed', message: 'neither a notification nor an answer' }
  }
  return { type: 'answer', id, result: message['result'] }
}

function hasChannel(
  params: unknown,
): params is Readonly<Record<string, unknown>> & { readonly channel: string } {
  return isObject(params) && typeof params['channel'] === 'string'
}

function mapNotification(params: unknown, text: string, context: MappingContext): DeribitMessage {
  if (!hasChannel(params)) {
    return { type: 'malformed', message: 'a notification without a channel' }
  }
  const { channel, data } = params
  if (!channel.startsWith('trades.')) return { type: 'other' }
  if (!Array.isArray(data)) {
    return { type: 'malformed', message: `a notification of ${channel} without data` }
  }
  return { type: 'trades', channel, trades: mapRows(data, text, 'data', context) }
}

/**
 * Reads an answer of `public/get_last_trades_by_instrument`, whose rows are those of the channels.
 *
 * @throws SyntaxError or TypeError if it is none: the request has to be made again.
 */
export function mapDeribitHistory(
  text: string,
  context: MappingContext,
): { readonly trades: readonly MappedTrade[]; readonly hasMore: boolean } {
  const answer = parseExact(text, wideNumber)
  const result = isObject(answer) ? answer['result'] : undefined
  const rows = isObject(result) ? result['trades'] : undefined
  if (!isObject(result) || !Array.isArray(rows)) {
    throw new TypeError(`Deribit's answer holds no trades: ${text.slice(0, 200)}`)
  }
  return {
    trades: mapRows(rows, text, 'trades', context),
    hasMore: result['has_more'] === true,
  }
}

function mapRows(
  rows: readonly unknown[],
  text: string,
  field: string,
  context: MappingContext,
): MappedTrade[] {
  return rows.map((row, index) => {
    const mapped = mapRow(row, context)
    if (typeof mapped !== 'string') {
      const problem = timeProblem(mapped.trade, context.futureToleranceMs)
      if (problem === undefined) return mapped
      return rejection(problem.reason, problem.message)
    }
    return rejection('invalid', mapped)

    function rejection(reason: 'future' | 'invalid', message: string): MappedTrade {
      const read = isObject(row) ? row : {}
      const instrument = read['instrument_name']
      return {
        kind: 'rejected',
        reason,
        message,
        original: elementText(text, field, index) ?? text,
        instrument: typeof instrument === 'string' ? instrument : undefined,
        sequence: exactInteger(read['trade_seq']),
      }
    }
  })
}

/** @returns the trade, or what is wrong with the row. */
function mapRow(
  row: unknown,
  { feedId, receivedAt }: MappingContext,
): Extract<MappedTrade, { kind: 'trade' }> | string {
  if (!isObject(row)) return 'the row is no object'
  const instrument = row['instrument_name']
  if (typeof instrument !== 'string' || instrument === '') return 'no instrument_name'
  const sequence = exactInteger(row['trade_seq'])
  if (sequence === undefined) return notA('trade_seq', 'an integer below 2^53', row)
  const tradeId = row['trade_id']
  if (typeof tradeId !== 'string' || tradeId === '') return notA('trade_id', 'a text', row)
  const eventTime = exactInteger(row['timestamp'])
  if (eventTime === undefined) return notA('timestamp', 'a time in milliseconds', row)
  const price = decimalOf(row['price'])
  if (price === undefined) return notA('price', 'a number', row)
  if (price.mantissa <= 0 && !isDeribitCombo(instrument)) {
    return notA('price', 'a positive number', row)
  }
  const quantity = decimalOf(row['amount'])
  if (quantity === undefined || quantity.mantissa <= 0) {
    return notA('amount', 'a positive number', row)
  }
  const trade: Trade = {
    venue: 'deribit',
    feedId,
    instrument,
    tradeId,
    version: 0,
    status: 'confirmed',
    sequence,
    venueOrder: null,
    price,
    quantity,
    notionalUsd: notionalUsdOf(instrument, price, quantity),
    takerSide: takerSideOf(row['direction']),
    eventTime,
    receivedAt,
    indexPrice: decimalOf(row['index_price']) ?? null,
    markPrice: decimalOf(row['mark_price']) ?? null,
    impliedVolatility: decimalOf(row['iv']) ?? null,
    liquidation: typeof row['liquidation'] === 'string' ? row['liquidation'] : null,
    tickDirection: tickDirectionOf(row['tick_direction']),
    counterparty: null,
    book: null,
    maturesAt: null,
    txHash: null,
    baseToken: null,
    quoteToken: null,
  }
  return { kind: 'trade', trade, sequence }
}

function notA(field: string, wanted: string, row: Readonly<Record<string, unknown>>): string {
  return `${field} is not ${wanted}: ${JSON.stringify(row[field]) ?? 'missing'}`
}

function takerSideOf(direction: unknown): TakerSide {
  return direction === 'buy' || direction === 'sell' ? direction : 'unknown'
}

/** 0 to 3; another code would be no number of Avro's `int` by chance only. */
function tickDirectionOf(value: unknown): number | null {
  const direction = exactInteger(value)
  return direction !== undefined && direction >= 0 && direction <= 3 ? direction : null
}

/** A number as `parseExact` leaves it; a text in a row of numbers is the source of one. */
function decimalOf(value: unknown): Decimal | undefined {
  if (typeof value !== 'number' && typeof value !== 'string') return undefined
  return parseDecimal(String(value))
}

const expiry = String.raw`(?:PERPETUAL|\d{1,2}[A-Z]{3}\d{2})`
const inverseContract = new RegExp(`^[A-Z]+-${expiry}$`)
const linearContract = new RegExp(`^[A-Z0-9]+_USD[CT]-${expiry}$`)

const contractKinds = new Map<string, 'inverse' | 'linear' | 'other'>()

/**
 * An inverse contract's amount is in US dollars already; a linear one is priced in a dollar coin
 * against a dollar index. Options, combos and spot pairs have no value in dollars of their own.
 */
function notionalUsdOf(instrument: string, price: Decimal, quantity: Decimal): Decimal | null {
  const kind = contractKindOf(instrument)
  if (kind === 'inverse') return quantity
  return kind === 'linear' ? normalizeDecimal(multiplyDecimals(price, quantity)) : null
}

/** More than a venue lists; names come from outside, so the map has a limit. */
const maxContractKinds = 20_000

function contractKindOf(instrument: string): 'inverse' | 'linear' | 'other' {
  const known = contractKinds.get(instrument)
  if (known !== undefined) return known
  const kind = inverseContract.test(instrument)
    ? 'inverse'
    : linearContract.test(instrument)
      ? 'linear'
      : 'other'
  if (contractKinds.size >= maxContractKinds) contractKinds.clear()
  contractKinds.set(instrument, kind)
  return kind
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
