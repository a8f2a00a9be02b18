import type { TopicPartitionOffset } from '@confluentinc/kafka-javascript'

import type { LogReader, LogRecord, PartitionHandlers } from './log-reader.ts'

export interface PartitionLag {
  readonly topic: string
  readonly partition: number
  /** Offsets that are not committed; 0 if none of them is of a record. */
  readonly records: number
  /** At most so old is the oldest of them; 0 without any. */
  readonly seconds: number
}

/** What a reader knows of a partition without a request. */
export interface KnownEnds {
  /** The partition's end by the last answer; undefined before the first. */
  lastKnownEnd(topic: string, partition: number): number | undefined
  /** Behind what was given out, and behind what is no record after it. */
  readUpTo(topic: string, partition: number): number | undefined
}

interface Standing {
  readonly topic: string
  readonly partition: number
  committed: number
  /** Behind the last record that was read. */
  read: number
  /** Broker's time of the last record that is committed, at first of the first that is read; ms since the epoch. */
  appendedAt: number | undefined
  /** When nothing was left the last time, ms since the epoch. */
  doneAt: number | undefined
}

/** How far a member of a group is behind in the partitions that it owns: by what is committed, not by what is read. */
export class GroupLag {
  #standings = new Map<string, Standing>()

  /** Partitions are taken over, all of them at once. @param positions the next offsets to read. */
  begin(positions: readonly TopicPartitionOffset[]): void {
    this.#standings = new Map(
      positions.map(({ topic, partition, offset }) => [
        `${topic} ${partition}`,
        {
          topic,
          partition,
          committed: offset,
          read: offset,
          appendedAt: undefined,
          doneAt: undefined,
        },
      ]),
    )
  }

  end(): void {
    this.#standings.clear()
  }

  /** @param records in order within each partition; one look at each run of a partition's records. */
  read(records: readonly LogRecord[]): void {
    let last: LogRecord | undefined
    for (const record of records) {
      if (last === undefined || !isOfSame(last, record)) {
        if (last !== undefined) this.#reach(last)
        this.#begin(record)
      }
      last = record
    }
    if (last !== undefined) this.#reach(last)
  }

  /**
   * @param offset the next one to read.
   * @param appendedAt the broker's time of the record before it, ms since the epoch.
   */
  committed({ topic, partition, offset }: TopicPartitionOffset, appendedAt?: number): void {
    const standing = this.#standings.get(`${topic} ${partition}`)
    if (standing === undefined) return
    standing.committed = Math.max(standing.committed, offset)
    standing.read = Math.max(standing.read, offset)
    standing.appendedAt = appendedAt ?? standing.appendedAt
  }

  /** Records that are read and not committed. */
  get pending(): number {
    return this.#standings
      .values()
      .reduce((sum, { read, committed }) => sum + Math.max(0, read - committed), 0)
  }

  /**
   * To be called after each batch, empty ones included: it remembers when nothing was left.
   *
   * @param now ms since the epoch.
   */
  look(ends: KnownEnds, now: number): void {
    for (const standing of this.#standings.values()) {
      if (leftOf(standing, ends) === 0) standing.doneAt = now
    }
  }

  /** A partition of which no end is known yet has none. */
  lags(ends: KnownEnds, now: number): readonly PartitionLag[] {
    return this.#standings
      .values()
      .flatMap((standing) => {
        const { topic, partition } = standing
        const records = leftOf(standing, ends)
        if (records === undefined) return []
        return [{ topic, partition, records, seconds: records === 0 ? 0 : age(standing, now) }]
      })
      .toArray()
  }

  #begin({ topic, partition, timestamp }: LogRecord): void {
    const standing = this.#standings.get(`${topic} ${partition}`)
    if (standing !== undefined) standing.appendedAt ??= timestamp
  }

  #reach({ topic, partition, offset }: LogRecord): void {
    const standing = this.#standings.get(`${topic} ${partition}`)
    if (standing !== undefined) standing.read = offset + 1
  }
}

/** The markers of transactions take offsets and are nothing to do: at the end only the reader knows of them. */
function leftOf(
  { topic, partition, committed, read }: Standing,
  ends: KnownEnds,
): number | undefined {
  const end = ends.lastKnownEnd(topic, partition)
  if (end === undefined) return undefined
  const isDone = committed >= read && (ends.readUpTo(topic, partition) ?? committed) >= end
  return isDone ? 0 : Math.max(0, end - committed)
}

/**
 * What comes next was appended after what is committed, and after the moment at which nothing was left. Before
 * the first of either nothing is known.
 */
function age({ appendedAt, doneAt }: Standing, now: number): number {
  const since = Math.max(appendedAt ?? -Infinity, doneAt ?? -Infinity)
  return since === -Infinity ? 0 : Math.max(0, now - since) / 1_000
}

function isOfSame(a: LogRecord, b: LogRecord): boolean {
  return a.partition === b.partition && a.topic === b.topic
}

/** The same handlers, whose partitions' lag is kept; what is committed is told to it by whoever commits. */
export function withGroupLag(
  handlers: PartitionHandlers,
  lag: GroupLag,
  reader: Pick<LogReader, 'lastKnownEnd' | 'readUpTo'>,
): PartitionHandlers {
  return {
    assigned: async (partitions) => {
      const positions = await handlers.assigned(partitions)
      lag.begin(positions)
      return positions
    },
    revoked: async (partitions, lost) => {
      lag.end()
      await handlers.revoked(partitions, lost)
    },
    process: async (records) => {
      lag.read(records)
      await handlers.process(records)
      lag.look(reader, Date.now())
    },
  }
}
