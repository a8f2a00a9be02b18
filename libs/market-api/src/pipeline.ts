import { z } from 'zod'

import { gap } from './candle.ts'
import { decimalText, pageCursor, time } from './scalars.ts'

/** One feed: a set of subscriptions of one venue that is connected, and vouched for, as a whole. */
export const feed = z
  .object({
    feedId: z.string(),
    venue: z.string(),
    upTo: time.nullable().meta({
      description: 'Event time up to which everything has been delivered, by its heartbeats',
    }),
    lagMs: z
      .number()
      .nullable()
      .meta({ description: 'How far upTo is behind the clock of the gateway' }),
    state: z.enum(['live', 'late', 'silent']).meta({
      description: 'late: upTo is more than 10 s behind; silent: more than a minute, or never told',
    }),
    instruments: z.int().nonnegative(),
    openGaps: z.int().nonnegative(),
  })
  .meta({ id: 'Feed' })

export type FeedResource = z.infer<typeof feed>

export const feedList = z.object({ feeds: z.array(feed) }).meta({ id: 'FeedList' })

export const gapPage = z
  .object({ gaps: z.array(gap), next: pageCursor.nullable() })
  .meta({ id: 'GapPage' })

/** Rejected records that no redrive has put back yet. */
export const rejectedCounts = z
  .object({
    since: time,
    counts: z.array(
      z.object({
        reason: z.string(),
        stage: z.string(),
        count: z.int().nonnegative(),
        lastRejectedAt: time,
      }),
    ),
  })
  .meta({ id: 'RejectedCounts' })

export type RejectedCounts = z.infer<typeof rejectedCounts>

/** How the road of a trade does, as this instance of the gateway sees it. */
export const pipeline = z
  .object({
    at: time,
    tradesPerSecond: z.number(),
    candlesPerSecond: z.number(),
    hops: z.array(
      z.object({
        hop: z.enum(['venue', 'ingest', 'aggregator', 'gateway', 'database']),
        p50Ms: z.number().nullable(),
        p99Ms: z.number().nullable(),
        about: z.string(),
      }),
    ),
    lags: z.array(
      z.object({
        topic: z.string(),
        reader: z.enum(['gateway', 'pg-sink']),
        records: z.int().nonnegative(),
      }),
    ),
    gateways: z.array(
      z.object({ instance: z.string(), clients: z.int().nonnegative(), seenAt: time }),
    ),
    notionalUsd24h: decimalText.nullable().meta({
      description:
        'Sum over the instruments whose value in US dollars is known; null if it is of none',
    }),
  })
  .meta({ id: 'Pipeline' })

export type Pipeline = z.infer<typeof pipeline>
