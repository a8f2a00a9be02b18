import { noOptionalFacts } from '@tickertape/market-model'
import type { TakerSide, Trade } from '@tickertape/market-model'

import { worthInDollars } from './dollar-worth.ts'
import { isoMilliseconds } from './iso-time.ts'
import type { MappedTrade, MappingContext } from './mapped-trade.ts'
import { elementText, exactInteger } from './raw-json.ts'
import { isObject, mappedRow, notA, positiveDecimal } from './venue-row.ts'

/** Coinbase's two public feeds tell of the same trades, under the same ids. */
export type CoinbaseVenue = 'coinbase' | 'coinbase-advanced'

/**
 * Reads a trade as Coinbase writes it everywhere: `match` messages, `market_trades` and the history.
 * Its id counts the trades of a product without holes.
 *
 * @param original the row as the venue wrote it; asked for only if it is turned away.
 */
export function mapCoinbaseRow(
  venue: CoinbaseVenue,
  row: unknown,
  context: MappingContext,
  original: () => string,
): MappedTrade {
  const read = isObject(row) ? row : {}
  return mappedRow(
    {
      trade: tradeOf(venue, read, context),
      instrument: read['product_id'],
      sequence: exactInteger(read['trade_id']),
    },
    context,
    original,
  )
}

/**
 * Reads an answer of GET /products/{product}/trades, whose rows do not name the product.
 *
 * @returns the trades, ascending as the log wants them; Coinbase tells the newest first.
 * @throws SyntaxError or TypeError if it is none: the request has to be made again.
 */
export function mapCoinbaseHistory(
  venue: CoinbaseVenue,
  instrument: string,
  text: string,
  context: MappingContext,
): readonly MappedTrade[] {
  const rows: unknown = JSON.parse(text)
  if (!Array.isArray(rows)) {
    throw new TypeError(`Coinbase's answer holds no trades: ${text.slice(0, 200)}`)
  }
  return rows
    .map((row: unknown, index) =>
      mapCoinbaseRow(
        venue,
        isObject(row) ? { ...row, product_id: instrument } : { product_id: instrument },
        context,
        () => elementText(text, null, index) ?? text,
      ),
    )
    .toReversed()
}

/** @returns the trade, or what is wrong with the row. */
function tradeOf(
  venue: CoinbaseVenue,
  row: Readonly<Record<string, unknown>>,
  { feedId, receivedAt }: MappingContext,
): Trade | string {
  const instrument = row['product_id']
  if (typeof instrument !== 'string' || instrument === '') return 'no product_id'
  const sequence = exactInteger(row['trade_id'])
  if (sequence === undefined) return notA('trade_id', 'an integer below 2^53', row['trade_id'])
  const eventTime = isoMilliseconds(row['time'])
  if (eventTime === undefined) return notA('time', 'a time in UTC', row['time'])
  const price = positiveDecimal(row['price'])
  if (price === undefined) return notA('price', 'a positive number in quotes', row['price'])
  const quantity = positiveDecimal(row['size'])
  if (quantity === undefined) return notA('size', 'a positive number in quotes', row['size'])
  const [, quote = ''] = instrument.split('-')
  return {
    venue,
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
    takerSide: takerSideOf(row['side']),
    eventTime,
    receivedAt,
    ...noOptionalFacts,
  }
}

/** `side` is the maker's: https://docs.cdp.coinbase.com, "Exchange WebSocket channels", match. */
function takerSideOf(side: unknown): TakerSide {
  switch (side) {
    case 'buy':
    case 'BUY':
      return 'sell'
    case 'sell':
    case 'SELL':
      return 'buy'
    default:
      return 'unknown'
  }
}
