import { multiplyDecimals, noOptionalFacts, normalizeDecimal } from '@tickertape/market-model'
import type { Trade } from '@tickertape/market-model'

import type { MappingContext } from './mapped-trade.ts'
import type { NumberedEvent, NumberedEvents } from './mapper-numbered-events.ts'
import { exactInteger } from './raw-json.ts'
import { notA, positiveDecimal } from './venue-row.ts'

/** Trades over the counter: booked, corrected and cancelled under one id, each time with a higher version. */
export const otcEvents: NumberedEvents = {
  fields: new Set([
    'instrument',
    'sequence',
    'tradeId',
    'version',
    'status',
    'side',
    'price',
    'quantity',
    'counterparty',
    'book',
    'executedAt',
    'maturesAt',
  ]),
  trade: otcTrade,
}

/** @returns the trade, or what is wrong with the event. */
function otcTrade(
  { instrument, row, sequence }: NumberedEvent,
  { feedId, receivedAt }: MappingContext,
): Trade | string {
  const { book, counterparty, side, status, tradeId } = row
  if (!isText(tradeId)) return notA('tradeId', 'a text', tradeId)
  const version = exactInteger(row['version'])
  if (version === undefined || version < 0) {
    return notA('version', 'a non-negative integer', row['version'])
  }
  if (status !== 'confirmed' && status !== 'cancelled') {
    return notA('status', 'confirmed or cancelled', status)
  }
  if (side !== 'buy' && side !== 'sell') return notA('side', 'buy or sell', side)
  const price = positiveDecimal(row['price'])
  if (price === undefined) return notA('price', 'a positive number in quotes', row['price'])
  const quantity = positiveDecimal(row['quantity'])
  if (quantity === undefined) {
    return notA('quantity', 'a positive number in quotes', row['quantity'])
  }
  if (!isText(counterparty)) return notA('counterparty', 'a text', counterparty)
  if (!isText(book)) return notA('book', 'a text', book)
  const eventTime = exactInteger(row['executedAt'])
  if (eventTime === undefined) {
    return notA('executedAt', 'a time in milliseconds', row['executedAt'])
  }
  const maturesAt = exactInteger(row['maturesAt'])
  if (maturesAt === undefined) {
    return notA('maturesAt', 'a time in milliseconds', row['maturesAt'])
  }
  if (maturesAt < eventTime) {
    return `it matures ${eventTime - maturesAt} ms before it was traded: executedAt ${eventTime}, maturesAt ${maturesAt}`
  }
  return {
    venue: 'otc',
    feedId,
    instrument,
    tradeId,
    version,
    status,
    sequence: null,
    venueOrder: sequence,
    price,
    quantity,
    notionalUsd: instrument.endsWith('-USD')
      ? normalizeDecimal(multiplyDecimals(price, quantity))
      : null,
    takerSide: side,
    eventTime,
    receivedAt,
    ...noOptionalFacts,
    counterparty,
    book,
    maturesAt,
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
