import { intervals } from '@tickertape/market-model'
import { z } from 'zod'

/** A number of any size and precision, in plain notation: `0.1`, `-3`, `12345678901234567890.5`. */
export const decimalText = z
  .string()
  .regex(/^-?\d+(\.\d+)?$/)
  .meta({ description: 'Exact decimal in plain notation', examples: ['64250.5'] })

/** Milliseconds since the epoch. */
export const time = z
  .int()
  .meta({ description: 'Milliseconds since 1970-01-01T00:00:00Z', examples: [1_767_225_600_000] })

export const instrumentId = z
  .string()
  .min(3)
  .max(200)
  .regex(/^[^:\s]+:\S+$/, 'must be venue:instrument, for example binance:BTCUSDT')
  .meta({
    description: 'venue:instrument, the instrument as the venue writes it',
    examples: ['binance:BTCUSDT'],
  })

export const interval = z
  .enum(intervals)
  .meta({ description: 'Length of a window; windows are aligned to the epoch (UTC)' })

/** Spans of the rolling statistics. */
export const statsSpans = ['5m', '1h', '24h'] as const

export const statsSpan = z
  .enum(statsSpans)
  .meta({ description: 'How far back the statistic reaches, in event time' })

export type StatsSpan = z.infer<typeof statsSpan>

/**
 * Where in the topics an answer stands, as opaque text: what a stream goes on from. Offsets are Kafka's, so
 * every instance of the gateway understands it.
 */
export const position = z
  .string()
  .max(4_000)
  .regex(/^[A-Za-z0-9_-]+$/)
  .meta({ description: 'Opaque position in the stream; a subscription can go on from it' })

/** Where a page ends, as opaque text. */
export const pageCursor = z
  .string()
  .max(1_000)
  .regex(/^[A-Za-z0-9_-]+$/)
  .meta({ description: 'Opaque: take it from the page before' })
