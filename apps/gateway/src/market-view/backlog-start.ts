/** What the start of a topic's backlog goes by, by partition. */
export interface BacklogStartBounds {
  /** First offset that the log keeps. */
  readonly low: readonly number[]
  /** First offset of the time that is remembered; where it is not known, nothing is read again. */
  readonly atTime: ReadonlyMap<number, number>
  /** Most records of a partition that are read again. */
  readonly records: number
}

/**
 * From where each partition is read, so that those who were told of records that the rows hold can go on: before
 * the rows' offset, by time and by number, as far as the log reaches.
 *
 * @param rowsUpTo next offset that the rows do not reflect, by partition. Never exceeded.
 */
export function backlogStart(
  rowsUpTo: readonly number[],
  { low, atTime, records }: BacklogStartBounds,
): readonly number[] {
  return rowsUpTo.map((next, partition) => {
    const from = Math.max(low[partition] ?? 0, atTime.get(partition) ?? Infinity, next - records)
    return Math.min(next, from)
  })
}
