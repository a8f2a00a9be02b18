import type { Place } from './delivery.ts'
import { cursorKey } from './feed-cursors.ts'

/**
 * How far a venue's history may lie behind what its stream has delivered already, in sequences: at
 * Binance's busiest some 30 s. What lies further behind is another count.
 */
export const maxHistoryLag = 10_000

/** The venue's sequences are not those of the cursor: every trade would pass for a duplicate. */
export class CursorAhead extends Error {
  override readonly name = 'CursorAhead'
  readonly code = 'cursor_ahead'

  /** @param newest sequence of the venue's last trade. */
  constructor(cursor: Place, newest: number) {
    const { feedId, instrument, replicaId, sequence } = cursor
    super(
      `${instrument}: the cursor of feed ${feedId}, replica ${replicaId}, stands at sequence ${sequence}, but the venue's newest trade is ${newest}: ` +
        'the cursor is of another venue, or the venue counts anew. Set another INGEST_FEED_ID or TOPIC_PREFIX, ' +
        `or delete the cursor (a tombstone for the key ${cursorKey(cursor, instrument)} in feed-cursors)`,
    )
  }
}
