import { copyFormat } from './copy-rows.ts'
import { candleFields, tradeFields } from './fields.ts'
import { candles, trades } from './schema.ts'

/** Trades of market-events as rows of `trades`. The venue is left out of the groups: a name that two have does no harm. */
export const tradeFormat = copyFormat(trades, tradeFields, ({ instrument }) => instrument)

/** Closed candles as rows of `candles`. */
export const candleFormat = copyFormat(candles, candleFields, ({ instrumentId }) => instrumentId)
