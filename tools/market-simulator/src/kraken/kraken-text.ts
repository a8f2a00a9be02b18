import { isoMicroseconds, microsecondsOf, tradeTime } from '../iso-text.ts'
import type { SimulatedTrade } from '../market/market.ts'

/** A JSON number: Kraken writes a fraction always. */
function float(plain: string): string {
  return plain.includes('.') ? plain : `${plain}.0`
}

export function tradePush(type: 'snapshot' | 'update', trades: readonly SimulatedTrade[]): string {
  const rows = trades.map((trade) => {
    const { instrument, price, quantity, sequence, takerSide } = trade
    return (
      `{"symbol":"${instrument}","side":"${takerSide}","price":${float(price)},` +
      `"qty":${float(quantity)},"ord_type":"${sequence % 3 === 0 ? 'limit' : 'market'}",` +
      `"trade_id":${sequence},"timestamp":"${tradeTime(trade)}"}`
    )
  })
  return `{"channel":"trade","type":"${type}","data":[${rows.join(',')}]}`
}

/** When it happened, in nanoseconds since the epoch; the WebSocket tells microseconds of it. */
export function nanosecondsOf(trade: SimulatedTrade): bigint {
  return BigInt(trade.eventTime) * 1_000_000n + BigInt(microsecondsOf(trade)) * 1_000n + 120n
}

/** One row of Trades; the time is a double there, in seconds. */
export function historyRow(trade: SimulatedTrade): string {
  const { price, quantity, sequence, takerSide } = trade
  const time = nanosecondsOf(trade)
  const seconds = Number(
    `${time / 1_000_000_000n}.${String(time % 1_000_000_000n).padStart(9, '0')}`,
  )
  return (
    `["${price}","${quantity}",${seconds},"${takerSide === 'buy' ? 'b' : 's'}",` +
    `"${sequence % 3 === 0 ? 'l' : 'm'}","",${sequence}]`
  )
}

/** The end of each answer on the WebSocket. */
export function timing(time: number): { readonly time_in: string; readonly time_out: string } {
  return { time_in: isoMicroseconds(time), time_out: isoMicroseconds(time, 18) }
}
