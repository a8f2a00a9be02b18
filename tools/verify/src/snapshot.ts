import type { Database } from '@tickertape/market-store'

/** What the sink has written at one moment: both come from one of its transactions. */
export interface Snapshot {
  /** The topic that trades come from. */
  readonly topic: string
  /** By partition: every trade below this offset is stored. */
  readonly positions: ReadonlyMap<number, number>
  readonly watermarks: readonly {
    readonly partition: number
    readonly feedId: string
    readonly upTo: Date
  }[]
}

export async function takeSnapshot(database: Database, topic: string): Promise<Snapshot> {
  return await database.transaction(async (transaction) => {
    const offsets = await transaction.query<{ partition: number; next_offset: string }>({
      text: 'select partition, next_offset from sink_offsets where topic = $1',
      values: [topic],
    })
    const watermarks = await transaction.query<{ partition: number; feed_id: string; up_to: Date }>(
      'select partition, feed_id, up_to from feed_watermarks',
    )
    return {
      topic,
      positions: new Map(
        offsets.rows.map(({ partition, next_offset }) => [partition, Number(next_offset)]),
      ),
      watermarks: watermarks.rows.map(({ partition, feed_id, up_to }) => ({
        partition,
        feedId: feed_id,
        upTo: up_to,
      })),
    }
  }, 'begin isolation level repeatable read read only')
}
