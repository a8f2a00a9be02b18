import type { SimulatedTrade } from '../market/market.ts'

/**
 * A number as Deribit's engine writes it: always with a fraction, whole thousands with an exponent.
 *
 * `10` is `10.0`, `92294.50` is `92294.5`, `12000` is `1.2e4`.
 */
export function deribitNumber(plain: string): string {
  const point = plain.indexOf('.')
  if (point !== -1) {
    const trimmed = plain.replace(/0+$/, '')
    return trimmed.endsWith('.') ? `${trimmed}0` : trimmed
  }
  if (!plain.endsWith('000')) return `${plain}.0`
  const significant = plain.replace(/0+$/, '')
  return `${significant.slice(0, 1)}.${significant.slice(1) || '0'}e${plain.length - 1}`
}

/**
 * One element of the REST interface's `trades`. Which trades were liquidations is known there alone: the
 * notification went out before it was told.
 */
export function settledTrade(trade: SimulatedTrade): string {
  const text = deribitTrade(trade)
  const isLiquidation = trade.instrument.endsWith('-PERPETUAL') && trade.sequence % 61 === 0
  if (trade.origin === 'recorded' || !isLiquidation) return text
  return `${text.slice(0, -1)},"liquidation":"T"}`
}

/** Options have a strike and a side, `BTC-25JUN27-100000-C`. */
const option = /-[CP]$/

/** One element of a trades notification's `data`. */
export function deribitTrade(trade: SimulatedTrade): string {
  if (trade.origin === 'recorded') return trade.text
  const { sequence, eventTime } = trade
  // Two ids beyond 2^53: a reader that takes them through a double gets other digits.
  const matchId = `214${String(sequence).padStart(15, '0')}`
  const volatility = option.test(trade.instrument)
    ? `"iv":${40 + (sequence % 40)}.${sequence % 10}1,`
    : ''
  const block = sequence % 97 === 0 ? `"block_trade_id":"BLOCK-${sequence}",` : ''
  const matchTime = `${eventTime}${String(trade.place % 1_000_000).padStart(6, '0')}`
  return (
    `{"timestamp":${eventTime},"price":${deribitNumber(trade.price)},` +
    `"amount":${deribitNumber(trade.quantity)},"direction":"${trade.takerSide}",` +
    `"index_price":${deribitNumber(trade.indexPrice)},"instrument_name":"${trade.instrument}",` +
    `"trade_seq":${sequence},"mark_price":${deribitNumber(trade.markPrice)},` +
    `"tick_direction":${trade.tickDirection},"contracts":${deribitNumber(trade.contracts)},` +
    `${volatility}${block}"trade_id":"${trade.tradeId}","starbase_match_id":${matchId},` +
    `"starbase_timestamp":${matchTime}}`
  )
}

export function tradesNotification(channel: string, trades: readonly SimulatedTrade[]): string {
  const data = trades.map(deribitTrade).join(',')
  return `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"${channel}","data":[${data}]}}`
}

export function heartbeatNotification(type: 'heartbeat' | 'test_request'): string {
  return `{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"${type}"}}`
}
