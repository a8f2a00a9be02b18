import { z } from 'zod'

import { decimalText, instrumentId, interval, pageCursor, position, time } from './scalars.ts'

export const candleQualities = ['complete', 'quiet', 'gap', 'backfilled', 'partial'] as const

/** One candle. Of a window the highest (rebuildId, revision) stands; `final: false` is still growing. */
export const candle = z
  .object({
    instrumentId,
    interval,
    windowStart: time,
    windowEnd: time.meta({ description: 'Exclusive end of the window, in ms' }),
    open: decimalText,
    high: decimalText,
    low: decimalText,
    close: decimalText,
    volume: decimalText.meta({ description: "In the instrument's quantity unit" }),
    buyVolume: decimalText.meta({ description: 'The part of the volume that takers bought' }),
    quoteVolume: decimalText,
    notionalUsd: decimalText.nullable().meta({ description: 'In US dollars; null if unknown' }),
    vwap: decimalText.nullable().meta({ description: '18 decimals; null without trades' }),
    tradeCount: z.int().nonnegative(),
    indicators: z
      .record(z.string(), z.number())
      .meta({ description: 'By configured name, for example close:span=12' }),
    quality: z.enum(candleQualities).meta({
      description:
        'quiet: no trades were made. gap: trades are missing or may be. backfilled: what was missing was fetched. partial: the window began before its instrument was known',
    }),
    revision: z
      .int()
      .nonnegative()
      .meta({ description: '0 when the window closed; rises by one with each change' }),
    final: z.boolean().meta({ description: 'false: the window is still open' }),
    firstSequence: z.int().nullable(),
    lastSequence: z.int().nullable(),
    rebuildId: z.int().nullable(),
  })
  .meta({ id: 'Candle' })

export type CandleResource = z.infer<typeof candle>

/** A stretch of event time of which trades are missing, or were. */
export const gap = z
  .object({
    gapId: z.string(),
    feedId: z.string(),
    instrumentId: instrumentId.nullable().meta({ description: 'null: the whole feed' }),
    fromTime: time,
    toTime: time,
    fromSequence: z.int().nullable(),
    toSequence: z.int().nullable(),
    state: z.enum(['open', 'backfilled', 'unrecoverable']),
  })
  .meta({ id: 'Gap' })

export type GapResource = z.infer<typeof gap>

const candlePageFacts = {
  instrumentId,
  interval,
  gaps: z
    .array(gap)
    .meta({ description: "Gaps of the instrument or its feed within the page's time" }),
  next: pageCursor.nullable().meta({ description: 'Page of later candles; null at the end' }),
  previous: pageCursor
    .nullable()
    .meta({ description: 'Page of earlier candles; null at the beginning' }),
  position,
}

export const candlePage = z
  .object({ ...candlePageFacts, candles: z.array(candle) })
  .meta({ id: 'CandlePage' })

export type CandlePage = z.infer<typeof candlePage>

/** The same page by columns, which charts draw from: entry n of each is of candle n. */
export const candleColumns = z
  .object({
    ...candlePageFacts,
    columns: z.object({
      windowStart: z.array(time),
      open: z.array(decimalText),
      high: z.array(decimalText),
      low: z.array(decimalText),
      close: z.array(decimalText),
      volume: z.array(decimalText),
      quoteVolume: z.array(decimalText),
      tradeCount: z.array(z.int()),
      quality: z.array(z.enum(candleQualities)),
      revision: z.array(z.int()),
      indicators: z.record(z.string(), z.array(z.number().nullable())),
    }),
  })
  .meta({ id: 'CandleColumns' })

export type CandleColumns = z.infer<typeof candleColumns>
