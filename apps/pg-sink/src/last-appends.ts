import type { Batch } from './batch.ts'

/** The last record that a batch has of a partition. */
export interface LastAppend {
  readonly topic: string
  readonly partition: number
  /** The next one to read. */
  readonly offset: number
  /** The broker's time, ms since the epoch. */
  readonly appendedAt: number | undefined
}

/** By partition; found from the batch's end, so that few records are looked at. */
export function lastAppends({
  positions,
  records,
}: Pick<Batch, 'positions' | 'records'>): readonly LastAppend[] {
  const found: LastAppend[] = []
  for (let at = records.length - 1; at >= 0 && found.length < positions.length; at -= 1) {
    const record = records[at]
    if (record === undefined) continue
    const { topic, partition, offset, timestamp: appendedAt } = record
    const before = found.at(-1)
    if (before?.partition === partition && before.topic === topic) continue
    if (found.some((each) => each.partition === partition && each.topic === topic)) continue
    found.push({ topic, partition, offset: offset + 1, appendedAt })
  }
  return found
}

/** The newest record of each topic: ms since the epoch. */
export function newestByTopic(appends: readonly LastAppend[]): ReadonlyMap<string, number> {
  const newest = new Map<string, number>()
  for (const { topic, appendedAt } of appends) {
    if (appendedAt === undefined) continue
    newest.set(topic, Math.max(appendedAt, newest.get(topic) ?? appendedAt))
  }
  return newest
}
