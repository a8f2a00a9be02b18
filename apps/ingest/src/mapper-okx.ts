import { multiplyDecimals, noOptionalFacts, normalizeDecimal } from '@tickertape/market-model'
import type { Decimal, TakerSide, Trade } from '@tickertape/market-model'

import { worthInDollars } from './dollar-worth.ts'
import type { MappedTrade, MappingContext } from './mapped-trade.ts'
import { messageObject } from './message-object.ts'
import { elementText, exactInteger } from './raw-json.ts'
import { isObject, mappedRow, notA, positiveDecimal } from './venue-row.ts'

/** What one message of OKX's WebSocket says. */
export type OkxMessage =
  | { readonly type: 'trades'; readonly trades: readonly MappedTrade[] }
  | { readonly type: 'subscribed'; readonly instrument: string }
  /** The answer to the text `ping`. */
  | { readonly type: 'pong' }
  | {
      readonly type: 'error'
      readonly code: string
      readonly message: string
      /** Of the subscription that is refused; the venue names it in the message alone. */
      readonly instrument: string | undefined
    }
  /** The venue announces something: 64008 is the end of this connection. */
  | { readonly type: 'notice'; readonly code: string; readonly message: string }
  /** Counts of connections, and channels that carry no trades. */
  | { readonly type: 'other' }
  | { readonly type: 'malformed'; readonly message: string }

/**
 * `trades-all` has each trade by itself. `trades` has one row for those that a taker's order makes at one
 * price, under the id of the last of them: its ids leave out some, so they are no sequence.
 */
export const okxChannels = ['trades-all', 'trades'] as const

export type OkxChannel = (typeof okxChannels)[number]

/** What one contract of a derivative is worth, in base (linear contracts, options) or in quote (inverse ones). */
export interface OkxContract {
  readonly size: Decimal
  readonly unit: 'base' | 'quote'
}

/** undefined for pairs, and where it is not known. */
export type OkxContractOf = (instrument: string) => OkxContract | undefined

const pairsAlone: OkxContractOf = () => undefined

/**
 * Reads one WebSocket message: https://www.okx.com/docs-v5, "WebSocket", "All trades channel" and
 * "Trades channel".
 *
 * Numbers are strings there, so JSON.parse keeps their digits; an id that a double would round is
 * rejected as such.
 */
export function mapOkxMessage(
  text: string,
  context: MappingContext,
  contractOf: OkxContractOf = pairsAlone,
): OkxMessage {
  if (text === 'pong') return { type: 'pong' }
  const message = messageObject(text)
  if (typeof message === 'string') return { type: 'malformed', message }
  if (typeof message['event'] === 'string') return mapEvent(message['event'], message)
  const { arg, data } = message
  if (!isObject(arg) || typeof arg['channel'] !== 'string') {
    return { type: 'malformed', message: 'neither an event nor a push' }
  }
  const channel = okxChannels.find((each) => each === arg['channel'])
  if (channel === undefined) return { type: 'other' }
  if (!Array.isArray(data)) {
    return { type: 'malformed', message: `a push of ${channel} without data` }
  }
  return { type: 'trades', trades: mapRows(data, text, channel, { context, contractOf }) }
}

function mapEvent(event: string, message: Readonly<Record<string, unknown>>): OkxMessage {
  const { arg } = message
  const said = { code: String(message['code']), message: String(message['msg']) }
  switch (event) {
    case 'subscribe':
      if (!isObject(arg) || typeof arg['instId'] !== 'string') {
        return { type: 'malformed', message: 'an acknowledgement without an instId' }
      }
      return { type: 'subscribed', instrument: arg['instId'] }
    case 'error':
      return { type: 'error', ...said, instrument: /instId:([^\s,]+)/.exec(said.message)?.[1] }
    case 'notice':
      return { type: 'notice', ...said }
    default:
      return { type: 'other' }
  }
}

/** OKX's answer over REST says that it failed; its HTTP status may be 200 all the same. */
export class OkxRefusal extends Error {
  override readonly name = 'OkxRefusal'
  readonly code: string

  constructor(code: string, message: string) {
    super(`OKX answered ${code} ${message}`)
    this.code = code
  }
}

/**
 * The rows of an answer over REST, `{"code":"0","msg":"","data":[…]}`.
 *
 * @throws OkxRefusal; SyntaxError or TypeError if it is no answer: the request has to be made again.
 */
export function okxRows(text: string): readonly unknown[] {
  const answer: unknown = JSON.parse(text)
  if (!isObject(answer)) throw new TypeError(`OKX's answer is no object: ${text.slice(0, 200)}`)
  const { code, data, msg } = answer
  if (code !== '0') throw new OkxRefusal(String(code), String(msg))
  if (!Array.isArray(data)) throw new TypeError(`OKX's answer has no data: ${text.slice(0, 200)}`)
  return data
}

/**
 * Reads an answer of GET /api/v5/market/history-trades, whose rows are those of the channel.
 *
 * @returns the trades, ascending as the log wants them; OKX tells the newest first.
 * @throws as okxRows does.
 */
export function mapOkxHistory(
  text: string,
  context: MappingContext,
  contractOf: OkxContractOf = pairsAlone,
): readonly MappedTrade[] {
  return mapRows(okxRows(text), text, 'trades-all', { context, contractOf }).toReversed()
}

/** What a row is read with. */
interface Reading {
  readonly context: MappingContext
  readonly contractOf: OkxContractOf
}

function mapRows(
  rows: readonly unknown[],
  text: string,
  channel: OkxChannel,
  reading: Reading,
): MappedTrade[] {
  return rows.map((row, index) => {
    const read = isObject(row) ? row : {}
    return mappedRow(
      {
        trade: tradeOf(read, channel, reading),
        instrument: read['instId'],
        sequence: sequenceOf(channel, exactInteger(read['tradeId'])),
      },
      reading.context,
      () => elementText(text, 'data', index) ?? text,
    )
  })
}

/** @returns the trade, or what is wrong with the row. */
function tradeOf(
  row: Readonly<Record<string, unknown>>,
  channel: OkxChannel,
  { context: { feedId, receivedAt }, contractOf }: Reading,
): Trade | string {
  const instrument = row['instId']
  if (typeof instrument !== 'string' || instrument === '') return 'no instId'
  const id = exactInteger(row['tradeId'])
  if (id === undefined) return notA('tradeId', 'an integer below 2^53', row['tradeId'])
  const eventTime = exactInteger(row['ts'])
  if (eventTime === undefined) return notA('ts', 'a time in milliseconds', row['ts'])
  const price = positiveDecimal(row['px'])
  if (price === undefined) return notA('px', 'a positive number in quotes', row['px'])
  const counted = positiveDecimal(row['sz'])
  if (counted === undefined) return notA('sz', 'a positive number in quotes', row['sz'])
  const contract = contractOf(instrument)
  if (contract === undefined && isContract(instrument)) {
    return `the size of a contract of ${instrument} is not known`
  }
  const quantity =
    contract === undefined ? counted : normalizeDecimal(multiplyDecimals(counted, contract.size))
  return {
    venue: 'okx',
    feedId,
    instrument,
    tradeId: channel === 'trades' ? `a${id}` : String(id),
    version: 0,
    status: 'confirmed',
    sequence: sequenceOf(channel, id) ?? null,
    venueOrder: null,
    price,
    quantity,
    notionalUsd: notionalUsdOf(instrument, price, quantity, contract?.unit),
    takerSide: takerSideOf(row['side']),
    eventTime,
    receivedAt,
    ...noOptionalFacts,
  }
}

function sequenceOf(channel: OkxChannel, id: number | undefined): number | null | undefined {
  return channel === 'trades' && id !== undefined ? null : id
}

function takerSideOf(side: unknown): TakerSide {
  return side === 'buy' || side === 'sell' ? side : 'unknown'
}

/** `BTC-USDT` is a pair; `BTC-USDT-SWAP`, `BTC-USD-261225` and `BTC-USD-261225-90000-C` count contracts. */
function isContract(instrument: string): boolean {
  return instrument.split('-').length > 2
}

/** Of a linear contract the quote is a coin, and an option's price is in base. */
function notionalUsdOf(
  instrument: string,
  price: Decimal,
  quantity: Decimal,
  unit: OkxContract['unit'] | undefined,
): Decimal | null {
  const [, quote = ''] = instrument.split('-')
  if (unit === undefined) return worthInDollars(quote, price, quantity)
  return unit === 'quote' && quote === 'USD' ? quantity : null
}
