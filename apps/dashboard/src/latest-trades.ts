import type { TradeResource } from '@tickertape/client'

/** Trades that are kept and drawn. */
export const mostTrades = 80

/** Newest first; a later version stands where the trade stood. */
export function withTrade(trades: readonly TradeResource[], trade: TradeResource): TradeResource[] {
  const at = trades.findIndex(({ tradeId }) => tradeId === trade.tradeId)
  if (at >= 0) return trades.with(at, trade)
  return [trade, ...trades].slice(0, mostTrades)
}
