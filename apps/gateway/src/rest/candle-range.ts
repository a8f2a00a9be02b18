import type { candlesRequest } from '@tickertape/market-api'
import { intervals } from '@tickertape/market-model'
import { z } from 'zod'

import { cursorText, readCursor } from './page-cursor.ts'
import { invalidRequest, readTimes } from './request-reading.ts'
import type { CandleRange } from './stored-candles.ts'

/** A page of candles: its part of the range that was asked for, and whether there is more on either side. */
export interface CandlePageRange extends CandleRange {
  /** Of the whole range, over all pages. */
  readonly within: { readonly from: number; readonly to: number }
  /** Whether a page leads here, so that there are candles before (`earlier`) or behind (`later`) this one. */
  readonly cameFrom: 'earlier' | 'later' | undefined
}

/** Times that timestamptz and Date both hold, and that no market has seen. */
export const beginOfTime = Date.UTC(-4000, 0)
export const endOfTime = Date.UTC(9999, 11)

const cursorFacts = z.tuple([
  z.literal('candles'),
  z.string(),
  z.enum(intervals),
  z.enum(['earlier', 'later']),
  z.int(),
  z.int(),
  z.int(),
])

/** @throws ProblemError `invalid_request`. */
export function candleRange(query: z.output<typeof candlesRequest>): CandlePageRange {
  const { instrument: instrumentId, interval, limit, cursor } = query
  const asked = readTimes({ from: query.from, to: query.to })
  const of = { instrumentId, interval, limit }
  if (cursor === undefined) {
    const within = { from: asked.from ?? beginOfTime, to: asked.to ?? endOfTime }
    const first = asked.from === undefined ? 'latest' : 'earliest'
    return { ...of, ...within, first, within, cameFrom: undefined }
  }
  const [, ofInstrument, ofInterval, side, at, from, to] = readCursor(cursor, cursorFacts)
  const differs = [
    ofInstrument === instrumentId ? [] : ['instrument'],
    ofInterval === interval ? [] : ['interval'],
    (asked.from ?? from) === from ? [] : ['from'],
    (asked.to ?? to) === to ? [] : ['to'],
  ].flat()
  if (differs.length > 0) {
    throw invalidRequest(
      differs.map((name) => ({ at: name, message: 'is not the one that the cursor belongs to' })),
    )
  }
  const within = { from, to }
  return side === 'later'
    ? { ...of, from: at + 1, to, first: 'earliest', within, cameFrom: 'earlier' }
    : { ...of, from, to: at, first: 'latest', within, cameFrom: 'later' }
}

/** The page before or behind a candle of this one. */
export function candleCursor(
  range: CandlePageRange,
  side: 'earlier' | 'later',
  windowStart: number,
): string {
  const { instrumentId, interval, within } = range
  return cursorText(['candles', instrumentId, interval, side, windowStart, within.from, within.to])
}
