import { copyFormat } from './copy-rows.ts'
import { candleFields, tradeFields } from './fields.ts'
import { candles, trades } from './schema.ts'

/** Trades of market-events as rows of `trades`. */
export const tradeFormat = copyFormat(trades, tradeFields)

/** Closed candles as rows of `candles`. */
export const candleFormat = copyFormat(candles, candleFields)
