import { z } from 'zod'

import { candleQualities } from './candle.ts'
import { decimalText, instrumentId, pageCursor, time } from './scalars.ts'

/** What a list of instruments shows of each; from memory, so of instruments with candles in the last 24 h. */
export const instrumentSummary = z
  .object({
    lastPrice: decimalText,
    lastTradeTime: time.nullable().meta({ description: 'Event time; null if not known any more' }),
    open24h: decimalText.meta({ description: 'First price of the last 24 hours' }),
    high24h: decimalText,
    low24h: decimalText,
    change24h: z
      .number()
      .nullable()
      .meta({ description: 'lastPrice / open24h - 1; null where that means nothing' }),
    volume24h: decimalText,
    notionalUsd24h: decimalText.nullable(),
    tradeCount24h: z.int().nonnegative(),
    quality: z
      .enum(candleQualities)
      .nullable()
      .meta({ description: 'The worst of the last 24 hours' }),
    sparkline: z
      .array(decimalText)
      .max(24)
      .meta({ description: 'Closing price of each of the last 24 hours, oldest first' }),
  })
  .meta({ id: 'InstrumentSummary' })

export type InstrumentSummary = z.infer<typeof instrumentSummary>

export const instrument = z
  .object({
    instrumentId,
    venue: z.string(),
    instrument: z.string().meta({ description: "The venue's own symbol" }),
    feedId: z.string(),
    status: z.enum(['listed', 'expired']),
    base: z.string().nullable(),
    quote: z.string().nullable(),
    kind: z.enum(['spot', 'perpetual', 'future', 'option', 'combo']).nullable(),
    quantityUnit: z.enum(['base', 'quote', 'contract']).nullable(),
    summary: instrumentSummary.nullable(),
  })
  .meta({ id: 'Instrument' })

export type InstrumentResource = z.infer<typeof instrument>

export const instrumentPage = z
  .object({ instruments: z.array(instrument), next: pageCursor.nullable() })
  .meta({ id: 'InstrumentPage' })

export type InstrumentPage = z.infer<typeof instrumentPage>
