import { z } from 'zod'

import { instrumentId, interval, pageCursor, statsSpan } from './scalars.ts'

/** Milliseconds since the epoch, or ISO 8601 with a zone: 1767225600000, 2026-01-01T00:00:00Z. */
export const timeText = z
  .string()
  .regex(
    /^(\d{1,15}|\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))$/,
    'must be milliseconds since the epoch or ISO 8601 with a zone, for example 2026-01-01T00:00:00Z',
  )
  .meta({ examples: ['2026-01-01T00:00:00Z', '1767225600000'] })

/** @returns undefined for a text of the right shape that is no time, such as February 30th. */
export function timeOf(text: string): number | undefined {
  const value = /^\d+$/.test(text) ? Number(text) : Date.parse(text)
  return Number.isSafeInteger(value) ? value : undefined
}

function limit(most: number, usual: number) {
  return z.coerce.number().int().min(1).max(most).default(usual)
}

export const candlesRequest = z.object({
  instrument: instrumentId,
  interval,
  from: timeText
    .optional()
    .meta({ description: 'First windowStart; without it the latest candles' }),
  to: timeText.optional().meta({ description: 'Exclusive bound of windowStart' }),
  limit: limit(1_000, 200),
  cursor: pageCursor.optional(),
  layout: z.enum(['rows', 'columns']).default('rows'),
})

export const tradesRequest = z.object({
  instrument: instrumentId,
  from: timeText.optional(),
  to: timeText.optional(),
  limit: limit(1_000, 100),
  cursor: pageCursor.optional(),
})

export const instrumentsRequest = z.object({
  search: z.string().max(100).optional().meta({ description: 'Part of the name, in any case' }),
  venue: z.string().max(50).optional(),
  status: z.enum(['listed', 'expired']).optional(),
  kind: z.enum(['spot', 'perpetual', 'future', 'option', 'combo']).optional(),
  limit: limit(1_000, 200),
  cursor: pageCursor.optional(),
})

export const statsRequest = z.object({
  limit: limit(1_000, 200),
  cursor: pageCursor.optional(),
})

export const statsParams = z.object({ span: statsSpan })

export const gapsRequest = z.object({
  state: z.enum(['open', 'backfilled', 'unrecoverable']).optional(),
  feed: z.string().max(100).optional(),
  limit: limit(1_000, 100),
  cursor: pageCursor.optional(),
})

export const rejectedRequest = z.object({
  since: timeText.optional().meta({ description: 'By default a day ago' }),
})
