import type { StreamPosition } from '../market-view.ts'

/** How far the sink has written, as one text: `topic partition offset` by line. */
export const sinkPositionSql =
  "select string_agg(concat_ws(' ', topic, partition, next_offset), E'\\n') from sink_offsets"

/** The names of the two topics that a position is in. */
export interface PositionTopics {
  readonly candles: string
  readonly marketEvents: string
  readonly partitions: number
}

/** A partition that the sink has not told of stands at its beginning. */
export function sinkPosition(text: string, topics: PositionTopics): StreamPosition {
  const candles = Array.from({ length: topics.partitions }, () => 0)
  const marketEvents = [...candles]
  for (const line of text === '' ? [] : text.split('\n')) {
    const [topic, partition, offset] = line.split(' ')
    const offsets =
      topic === topics.candles ? candles : topic === topics.marketEvents ? marketEvents : undefined
    const at = Number(partition)
    if (offsets !== undefined && at < offsets.length) offsets[at] = Number(offset)
  }
  return { candles, marketEvents }
}

/** The one that is true of what was read at either: a stream that goes on from it repeats, and leaves nothing out. */
export function earlier(a: StreamPosition, b: StreamPosition): StreamPosition {
  const least = (x: readonly number[], y: readonly number[]): readonly number[] =>
    x.map((offset, at) => Math.min(offset, y[at] ?? offset))
  return {
    candles: least(a.candles, b.candles),
    marketEvents: least(a.marketEvents, b.marketEvents),
  }
}
