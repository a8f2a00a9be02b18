import type { SimulatedTrade } from '../market/market.ts'

/** Binance writes prices and quantities as strings with 8 decimals. */
export function binanceDecimal(plain: string): string {
  const [whole = '0', fraction = ''] = plain.split('.')
  return `${whole}.${fraction.padEnd(8, '0')}`
}

/** A `trade` event as a combined stream sends it; the raw stream sends its `data` alone. */
export function tradeEvent(stream: string, trade: SimulatedTrade): string {
  // The event leaves the venue a little after the trade: a reader that mixes E and T up shows.
  const sentAt = trade.eventTime + 1 + (trade.sequence % 2)
  return (
    `{"stream":"${stream}","data":{"e":"trade","E":${sentAt},"s":"${trade.instrument}",` +
    `"t":${trade.sequence},"p":"${binanceDecimal(trade.price)}",` +
    `"q":"${binanceDecimal(trade.quantity)}","T":${trade.eventTime},` +
    `"m":${trade.takerSide === 'sell'},"M":true}}`
  )
}

/** The single trades of an aggregate one are numbered apart from it: a reader that mixes them up shows. */
const firstTradeOf = (sequence: number): number => 4_000_000_000 + 3 * sequence

/**
 * An `aggTrade` event. Each trade of the seeded market is an aggregate one by itself, under its own
 * sequence.
 */
export function aggTradeEvent(stream: string, trade: SimulatedTrade): string {
  return (
    `{"stream":"${stream}","data":{"e":"aggTrade","E":${trade.eventTime + 40},` +
    `"s":"${trade.instrument}",${aggTradeFields(trade)}}}`
  )
}

/** One row of aggTrades. */
export function historicalAggTrade(trade: SimulatedTrade): string {
  return `{${aggTradeFields(trade)}}`
}

function aggTradeFields({
  eventTime,
  price,
  quantity,
  sequence,
  takerSide,
}: SimulatedTrade): string {
  const first = firstTradeOf(sequence)
  return (
    `"a":${sequence},"p":"${binanceDecimal(price)}","q":"${binanceDecimal(quantity)}",` +
    `"f":${first},"l":${first + (sequence % 3)},"T":${eventTime},"m":${takerSide === 'sell'}`
  )
}

/** The `data` of a combined stream's frame. */
export function rawEvent(combined: string): string {
  const marker = '"data":'
  return combined.slice(combined.indexOf(marker) + marker.length, -1)
}

/** One row of historicalTrades. */
export function historicalTrade(trade: SimulatedTrade): string {
  if (trade.origin === 'recorded') return trade.text
  return historicalTradeRow(trade.sequence, trade)
}

export function historicalTradeRow(
  id: number,
  trade: Pick<SimulatedTrade, 'price' | 'quantity' | 'eventTime' | 'takerSide'>,
): string {
  const price = binanceDecimal(trade.price)
  const quantity = binanceDecimal(trade.quantity)
  return (
    `{"id":${id},"price":"${price}","qty":"${quantity}",` +
    `"quoteQty":"${product(price, quantity)}","time":${trade.eventTime},` +
    `"isBuyerMaker":${trade.takerSide === 'sell'},"isBestMatch":true}`
  )
}

/** Two numbers with 8 decimals, multiplied and cut to 8 decimals. */
function product(one: string, other: string): string {
  const scaled = (BigInt(one.replace('.', '')) * BigInt(other.replace('.', ''))) / 10n ** 8n
  const digits = String(scaled).padStart(9, '0')
  return `${digits.slice(0, -8)}.${digits.slice(-8)}`
}
