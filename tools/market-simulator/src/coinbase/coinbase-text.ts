import { isoMicroseconds, tradeTime } from '../iso-text.ts'
import type { SimulatedTrade } from '../market/market.ts'

/** Coinbase gives the maker's side everywhere. */
function makerSide(trade: SimulatedTrade): 'buy' | 'sell' {
  return trade.takerSide === 'buy' ? 'sell' : 'buy'
}

/** A product's messages are counted over all channels, most of which nobody listens to. */
function productSequence(tradeId: number): number {
  return tradeId * 40 + 7
}

/** A `match`, or the `last_match` before a subscription. */
export function matchMessage(type: 'match' | 'last_match', trade: SimulatedTrade): string {
  const { instrument, price, quantity, sequence } = trade
  const order = String(sequence).padStart(12, '0')
  return (
    `{"type":"${type}","trade_id":${sequence},` +
    `"maker_order_id":"6ef7ac31-8d3f-4a5c-9b1e-${order}",` +
    `"taker_order_id":"c9a0d34b-1f2e-4c7d-8a6b-${order}",` +
    `"side":"${makerSide(trade)}","size":"${quantity}","price":"${price}",` +
    `"product_id":"${instrument}","sequence":${productSequence(sequence)},` +
    `"time":"${tradeTime(trade)}"}`
  )
}

/** @param lastTradeId 0 for a product without trades */
export function heartbeatMessage(product: string, lastTradeId: number, time: number): string {
  return (
    `{"type":"heartbeat","last_trade_id":${lastTradeId},"product_id":"${product}",` +
    `"sequence":${productSequence(lastTradeId) + 5},"time":"${isoMicroseconds(time)}"}`
  )
}

/** One row of GET /products/{product}/trades. */
export function historyRow(trade: SimulatedTrade): string {
  const { price, quantity, sequence } = trade
  return (
    `{"trade_id":${sequence},"side":"${makerSide(trade)}","size":"${quantity}",` +
    `"price":"${price}","time":"${tradeTime(trade)}"}`
  )
}

/** What Advanced Trade numbers for each connection by itself; see AdvancedSession. */
export const messageNumber = '"sequence_num":'

/** A message of Advanced Trade, without its number. */
export function advancedMessage(channel: string, time: number, events: string): string {
  return (
    `{"channel":"${channel}","client_id":"","timestamp":"${isoMicroseconds(time)}",` +
    `${messageNumber}-1,"events":[${events}]}`
  )
}

/** @param trades ascending; the venue writes the newest first */
export function marketTrades(
  type: 'snapshot' | 'update',
  trades: readonly SimulatedTrade[],
): string {
  const rows = trades.toReversed().map((trade) => {
    const { instrument, price, quantity, sequence } = trade
    return (
      `{"trade_id":"${sequence}","product_id":"${instrument}","price":"${price}",` +
      `"size":"${quantity}","side":"${makerSide(trade).toUpperCase()}",` +
      `"time":"${tradeTime(trade)}"}`
    )
  })
  return `{"type":"${type}","trades":[${rows.join(',')}]}`
}
