import { z } from 'zod'

import { candleQualities } from './candle.ts'
import { decimalText, instrumentId, pageCursor, position, statsSpan, time } from './scalars.ts'

const minutes = z
  .object({
    complete: z.int(),
    quiet: z.int(),
    backfilled: z.int(),
    partial: z.int(),
    gap: z.int(),
    missing: z.int().meta({ description: 'Minutes of which no candle tells' }),
  })
  .meta({ description: 'Minutes of the span by what is known of them' })

const facts = {
  span: statsSpan,
  from: time,
  to: time.meta({ description: 'Exclusive' }),
  tradeCount: z.int().nonnegative(),
  notionalUsd: decimalText
    .nullable()
    .meta({ description: 'In US dollars; null if any part is unknown' }),
  quality: z.enum(candleQualities).nullable(),
  isComplete: z.boolean(),
  minutes,
}

export const instrumentStats = z
  .object({
    instrumentId,
    ...facts,
    volume: decimalText,
    buyVolume: decimalText,
    quoteVolume: decimalText,
    vwap: decimalText.nullable(),
  })
  .meta({ id: 'InstrumentStats' })

export type InstrumentStatsResource = z.infer<typeof instrumentStats>

const groupFacts = { ...facts, instruments: z.int().nonnegative() }

/** One pair over all venues. Amounts are null where a part is counted in contracts of unknown size. */
export const pairStats = z
  .object({
    base: z.string(),
    quote: z.string(),
    ...groupFacts,
    volume: decimalText.nullable(),
    buyVolume: decimalText.nullable(),
    quoteVolume: decimalText.nullable(),
  })
  .meta({ id: 'PairStats' })

export type PairStatsResource = z.infer<typeof pairStats>

export const tokenStats = z
  .object({
    token: z.string(),
    ...groupFacts,
    volume: decimalText.nullable(),
    volumeAsBase: decimalText.nullable(),
    volumeAsQuote: decimalText.nullable(),
    buyVolume: decimalText.nullable(),
  })
  .meta({ id: 'TokenStats' })

export type TokenStatsResource = z.infer<typeof tokenStats>

/** What statistics can be of. */
export const statsSubjects = ['instruments', 'pairs', 'tokens'] as const

export type StatsSubject = (typeof statsSubjects)[number]

const page = { next: pageCursor.nullable(), position }

export const instrumentStatsPage = z
  .object({ stats: z.array(instrumentStats), ...page })
  .meta({ id: 'InstrumentStatsPage' })
export const pairStatsPage = z
  .object({ stats: z.array(pairStats), ...page })
  .meta({ id: 'PairStatsPage' })
export const tokenStatsPage = z
  .object({ stats: z.array(tokenStats), ...page })
  .meta({ id: 'TokenStatsPage' })
