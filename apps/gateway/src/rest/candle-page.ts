import { partitionOf } from '@tickertape/kafka-avro'

import type { EncodedCandle, StreamPosition } from '../market-view.ts'
import { ProblemError } from '../problem.ts'
import { endOfTime } from './candle-range.ts'
import type { CandlePageRange } from './candle-range.ts'
import { earlier, sinkPosition } from './sink-position.ts'
import type { Sources } from './sources.ts'
import { readStoredCandles } from './stored-candles.ts'
import type { StoredCandle } from './stored-candles.ts'

/** Candles of a page, oldest first: what is stored, and behind it what memory holds. */
export interface CandlePageContent {
  readonly stored: readonly StoredCandle[]
  readonly held: readonly EncodedCandle[]
  /** Whether there are candles before the first of these, or behind the last, within what was asked for. */
  readonly hasEarlier: boolean
  readonly hasLater: boolean
  /** Everything before it is in these candles. */
  readonly position: StreamPosition
}

/**
 * Reads a page: from memory what it holds, and only what is older from PostgreSQL. So candles that the sink has
 * not written yet are there, and the one of the open window. Where the sink is behind by more than memory holds, the
 * page ends before what is in neither, and a cursor leads on.
 *
 * @throws ProblemError `not_ready` where nothing stands before it; what the database says.
 */
export async function readCandlePage(
  sources: Pick<Sources, 'view' | 'database' | 'topics'>,
  range: CandlePageRange,
): Promise<CandlePageContent> {
  const { view, database, topics } = sources
  const { instrumentId, interval, from, to, limit, first } = range
  // Memory before the database, and its position with it: what it forgets while we wait is here already.
  const heldFrom = view.heldFrom(instrumentId, interval) ?? Infinity
  const held = heldFrom < to ? heldInRange(sources, range) : []
  const heldAt = view.position()
  const releasedTo = view.releasedTo(instrumentId, interval)
  // One more than is asked for tells whether there are more.
  const wanted = limit + 1
  // No window begins before 0: where all candles are held, that is where memory begins.
  if (heldFrom <= Math.max(from, 0) || (first === 'latest' && held.length >= wanted)) {
    return cut([], held, range, heldAt)
  }
  const read = await readStoredCandles(database, {
    instrumentId,
    interval,
    from,
    to: Math.min(to, heldFrom),
    limit: first === 'latest' ? wanted - held.length : wanted,
    first,
  })
  const storedAt = sinkPosition(read.offsets, topics)
  const written = storedAt.candles[partitionOf(instrumentId, topics.partitions)] ?? 0
  if (
    written < releasedTo &&
    !read.hasLater &&
    (first === 'latest' || read.candles.length < wanted)
  ) {
    return cutAtHole(read.candles, held, range, { storedAt, heldAt })
  }
  return cut(read.candles, held, range, held.length > 0 ? earlier(storedAt, heldAt) : storedAt)
}

function heldInRange(
  { view }: Pick<Sources, 'view'>,
  { instrumentId, interval, from, to, limit, first }: CandlePageRange,
): readonly EncodedCandle[] {
  const isLatest = first === 'latest' && to >= endOfTime
  const candles = view.candles(instrumentId, interval, isLatest ? limit + 1 : mostHeld)
  // Mostly all of them are.
  if (isLatest && (candles[0]?.windowStart ?? 0) >= from) return candles
  const inRange = candles.filter(({ windowStart }) => windowStart >= from && windowStart < to)
  return first === 'latest' ? inRange.slice(-(limit + 1)) : inRange
}

/** More than memory has of one instrument and interval. */
const mostHeld = 1_000_000

/**
 * The side of a hole that the limit counts from: between what is stored and what is held there may be candles that
 * memory has let go and the sink has not written.
 */
function cutAtHole(
  stored: readonly StoredCandle[],
  held: readonly EncodedCandle[],
  range: CandlePageRange,
  { storedAt, heldAt }: { readonly storedAt: StreamPosition; readonly heldAt: StreamPosition },
): CandlePageContent {
  if (range.first === 'latest' && held.length > 0) {
    return { ...cut([], held, range, heldAt), hasEarlier: true }
  }
  if (range.first === 'earliest' && stored.length > 0) {
    return { ...cut(stored, [], range, storedAt), hasLater: true }
  }
  throw new ProblemError('not_ready', {
    detail: `The database is behind: candles of ${range.instrumentId} that memory holds no more are not written yet. Try again; /v1/pipeline tells how far pg-sink is`,
    headers: { 'retry-after': '2' },
  })
}

/** Leaves the one candle out that only tells that there are more. */
function cut(
  stored: readonly StoredCandle[],
  held: readonly EncodedCandle[],
  { limit, first, cameFrom }: CandlePageRange,
  position: StreamPosition,
): CandlePageContent {
  const count = stored.length + held.length
  const hasMore = count > limit
  const hasEarlier = cameFrom === 'earlier' || (first === 'latest' && hasMore)
  const hasLater = cameFrom === 'later' || (first === 'earliest' && hasMore)
  const begin = first === 'latest' ? Math.max(0, count - limit) : 0
  const end = begin + limit
  const split = stored.length
  return {
    stored: stored.slice(begin, end),
    held: held.slice(Math.max(0, begin - split), Math.max(0, end - split)),
    hasEarlier,
    hasLater,
    position,
  }
}
