import { z } from 'zod'

import { decimalText, instrumentId, pageCursor, position, time } from './scalars.ts'

/** One trade as it stands: of its versions the highest, and of equal records the first. */
export const trade = z
  .object({
    instrumentId,
    tradeId: z.string(),
    version: z.int().nonnegative(),
    status: z.enum(['confirmed', 'pending', 'cancelled']),
    sequence: z.int().nullable(),
    price: decimalText,
    quantity: decimalText,
    notionalUsd: decimalText.nullable(),
    takerSide: z.enum(['buy', 'sell', 'unknown']),
    eventTime: time,
    receivedAt: time,
    impliedVolatility: decimalText.nullable(),
    liquidation: z.string().nullable(),
    counterparty: z.string().nullable(),
    book: z.string().nullable(),
    maturesAt: time.nullable(),
    expired: z.boolean().meta({ description: 'Its maturesAt has passed' }),
    txHash: z.string().nullable(),
    baseToken: z.string().nullable(),
    quoteToken: z.string().nullable(),
  })
  .meta({ id: 'Trade' })

export type TradeResource = z.infer<typeof trade>

/** The tape, newest first. */
export const tradePage = z
  .object({
    trades: z.array(trade),
    next: pageCursor.nullable().meta({ description: 'Page of older trades; null at the end' }),
    position,
  })
  .meta({ id: 'TradePage' })

export type TradePage = z.infer<typeof tradePage>
