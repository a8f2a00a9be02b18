import type { Database } from '@tickertape/market-store'

/** What the sink has written at one moment: both come from one of its transactions. */
export interface Snapshot {
  /** The topic that trades come from. */
  readonly topic: string
  /** By partition: every record below this offset is stored. */
  readonly positions: ReadonlyMap<number, number>
  /** How far each feed is in each partition. */
  readonly watermarks: readonly {
    readonly partition: number
    readonly feedId: string
    readonly upTo: Date
    /** Where the feed's latest heartbeat stands: the last record that made candles of it. */
    readonly heartbeatOffset: number
  }[]
}

export async function takeSnapshot(database: Database, topic: string): Promise<Snapshot> {
  return await database.transaction(async (transaction) => {
    const offsets = await transaction.query<{ partition: number; next_offset: string }>({
      text: 'select partition, next_offset from sink_offsets where topic = $1',
      values: [topic],
    })
    const watermarks = await transaction.query<{
      partition: number
      feed_id: string
      up_to: Date
      heartbeat_offset: string
    }>('select partition, feed_id, up_to, heartbeat_offset from feed_watermarks')
    return {
      topic,
      positions: new Map(
        offsets.rows.map(({ partition, next_offset }) => [partition, Number(next_offset)]),
      ),
      watermarks: watermarks.rows.map((row) => ({
        partition: row.partition,
        feedId: row.feed_id,
        upTo: row.up_to,
        heartbeatOffset: Number(row.heartbeat_offset),
      })),
    }
  }, 'begin isolation level repeatable read read only')
}
