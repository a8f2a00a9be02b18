import { formatDecimal, instrumentIdOf } from '@tickertape/market-model'
import type { Decimal, Trade } from '@tickertape/market-model'
import { isPartitionable, timeText } from '@tickertape/market-store'

import { whyNotStorable } from './storable.ts'

/** What COPY writes: the columns in the order of a line. */
export const tradeLineColumns = [
  'instrument_id',
  'venue',
  'feed_id',
  'instrument',
  'trade_id',
  'version',
  'status',
  'sequence',
  'venue_order',
  'price',
  'quantity',
  'notional_usd',
  'taker_side',
  'event_time',
  'received_at',
  'index_price',
  'mark_price',
  'implied_volatility',
  'liquidation',
  'tick_direction',
  'counterparty',
  'book',
  'matures_at',
  'tx_hash',
  'base_token',
  'quote_token',
  'source_partition',
  'source_offset',
] as const

const absent = String.raw`\N`
const times = ['eventTime', 'receivedAt', 'maturesAt']
const keys = ['venue', 'instrument', 'tradeId', 'feedId']

/** Instruments whose names are kept as text; beyond it they are made anew. */
const mostSources = 20_000

/** Names in an ASCII that needs no escape, as nearly all are. */
const plain = /^[!-[\]-~]{1,200}$/

/** Years 2009 to 2099: those with partitions. Within them nothing else about a time can be wrong. */
const plainTimeFrom = Date.UTC(2009, 0, 1)
const plainTimeTo = Date.UTC(2100, 0, 1)

interface Source {
  readonly venue: string
  readonly feedId: string
  /** The first four columns, each with its tab. */
  readonly text: string
}

/** Why a trade has no line. */
export interface Unstorable {
  readonly problem: string
}

/**
 * Writes trades as lines of COPY's text format.
 *
 * https://www.postgresql.org/docs/current/sql-copy.html: columns separated by tabs, `\N` for null, and
 * backslashes before what would be read as something else.
 */
export class TradeLines {
  readonly #sources = new Map<string, Source>()
  readonly #eventTime = new TimeText()
  readonly #receivedAt = new TimeText()

  /** @returns the line with its end; or why PostgreSQL would refuse it. */
  lineOf(trade: Trade, partition: number, offset: number): string | Unstorable {
    if (!isPlain(trade)) {
      const problem = whyTradeNotStorable(trade)
      if (problem !== undefined) return { problem }
    }
    const { eventTime, receivedAt } = trade
    return (
      this.#sourceOf(trade) +
      `${escaped(trade.tradeId)}\t${trade.version}\t${trade.status}\t${trade.sequence ?? absent}\t` +
      `${trade.venueOrder ?? absent}\t${decimalText(trade.price)}\t${decimalText(trade.quantity)}\t` +
      `${nullableDecimal(trade.notionalUsd)}\t${trade.takerSide}\t${this.#eventTime.of(eventTime)}\t` +
      `${this.#receivedAt.of(receivedAt)}\t` +
      optionalColumns(trade) +
      `\t${partition}\t${offset}\n`
    )
  }

  #sourceOf(trade: Trade): string {
    const known = this.#sources.get(trade.instrument)
    if (known?.venue === trade.venue && known.feedId === trade.feedId) return known.text
    const { venue, feedId, instrument } = trade
    const text = [instrumentIdOf(trade), venue, feedId, instrument].map(
      (name) => `${escaped(name)}\t`,
    )
    if (this.#sources.size >= mostSources) this.#sources.clear()
    const source = { venue, feedId, text: text.join('') }
    this.#sources.set(instrument, source)
    return source.text
  }
}

/** Why a decoded trade cannot be a row of `trades`; undefined if it can. */
function whyTradeNotStorable(trade: Trade): string | undefined {
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

const nothing = Array.from({ length: 6 }, () => absent).join('\t')

function optionalColumns(trade: Trade): string {
  const { liquidation, counterparty, book, maturesAt, txHash, baseToken, quoteToken } = trade
  const prices =
    `${nullableDecimal(trade.indexPrice)}\t${nullableDecimal(trade.markPrice)}\t` +
    `${nullableDecimal(trade.impliedVolatility)}\t${nullableText(liquidation)}\t${trade.tickDirection ?? absent}\t`
  const isBare =
    counterparty === null &&
    book === null &&
    maturesAt === null &&
    txHash === null &&
    baseToken === null &&
    quoteToken === null
  if (isBare) return prices + nothing
  return (
    prices +
    `${nullableText(counterparty)}\t${nullableText(book)}\t` +
    `${maturesAt === null ? absent : timeText(maturesAt)}\t${nullableText(txHash)}\t` +
    `${nullableText(baseToken)}\t${nullableText(quoteToken)}`
  )
}

function nullableText(text: string | null): string {
  return text === null ? absent : escaped(text)
}

function nullableDecimal(value: Decimal | null): string {
  return value === null ? absent : decimalText(value)
}

/** `formatDecimal`, quicker for the few digits that prices have. */
function decimalText(value: Decimal): string {
  const { mantissa, exponent } = value
  const isShort = typeof mantissa === 'number' && mantissa > 0 && mantissa % 10 !== 0
  if (!isShort || exponent > 0 || exponent < -15) return formatDecimal(value)
  const digits = String(mantissa)
  if (exponent === 0) return digits
  const whole = digits.length + exponent
  if (whole > 0) return `${digits.slice(0, whole)}.${digits.slice(whole)}`
  return `0.${'000000000000000'.slice(0, -whole)}${digits}`
}

const special = /[\\\b\t\n\v\f\r]/g

function escaped(text: string): string {
  if (plain.test(text)) return text
  return text.replaceAll(special, (letter) => escapes[letter] ?? letter)
}

const escapes: Readonly<Record<string, string>> = {
  '\\': String.raw`\\`,
  '\b': String.raw`\b`,
  '\t': String.raw`\t`,
  '\n': String.raw`\n`,
  '\v': String.raw`\v`,
  '\f': String.raw`\f`,
  '\r': String.raw`\r`,
}

/** Times as text; trades come many to a millisecond, and in its neighbourhood. */
class TimeText {
  #ms = -1
  #text = ''
  #second = -1
  #secondText = ''

  of(ms: number): string {
    if (ms === this.#ms) return this.#text
    const second = Math.floor(ms / 1_000)
    if (second !== this.#second) {
      this.#second = second
      // Without its milliseconds: `2026-01-05T09:30:00`.
      this.#secondText = timeText(second * 1_000).slice(0, -5)
    }
    this.#ms = ms
    this.#text = `${this.#secondText}.${String(ms - second * 1_000).padStart(3, '0')}Z`
    return this.#text
  }
}
