import type { TopicPartitionOffset } from '@confluentinc/kafka-javascript'

import type { FetchMeasure, FetchQueue } from './client-statistics.ts'
import { KafkaAvroError } from './errors.ts'
import type { KafkaConnection } from './kafka-connection.ts'
import type { LogRecord } from './log-reader.ts'
import { PartitionFetcher, queueOf } from './partition-fetcher.ts'

export interface LogTailOptions {
  readonly connection: KafkaConnection
  readonly clientId: string
  /** What is read, and from which offset of each partition on. */
  readonly positions: readonly TopicPartitionOffset[]
  readonly onWarning: (message: string) => void
  readonly fetches?: FetchMeasure | undefined
}

export interface TailProgress {
  readonly topic: string
  readonly partition: number
  /** Next offset behind what was given out. */
  readonly position: number
  /** The partition's end by the last answer, open transactions included; undefined before the first. */
  readonly end: number | undefined
  /** How far it can be read: to its first open transaction; undefined before the first answer. */
  readonly stableEnd: number | undefined
  /** How long no broker has answered, in ms. */
  readonly silentMs: number
}

/** Bytes that all partitions together read ahead, as they come from the broker; as much again is in hand. */
const aheadBytes = 8 * 1024 * 1024
const leastAheadBytes = 128 * 1024
const mostAheadBytes = 1024 * 1024

/**
 * Follows partitions of any topics, read committed, outside of any group: any number of processes each read
 * all of them. A broker that does not answer is waited for without end; `silentMs` tells of it.
 */
export class LogTail implements AsyncDisposable {
  readonly #fetchers: readonly PartitionFetcher[]
  #turn = 0
  #wake: () => void = () => undefined

  constructor({ connection, clientId, positions, onWarning, fetches }: LogTailOptions) {
    const share = Math.floor(aheadBytes / Math.max(1, positions.length))
    const options = {
      connection,
      clientId,
      aheadBytes: Math.min(mostAheadBytes, Math.max(leastAheadBytes, share)),
      patienceMs: Infinity,
      onWarning,
      fetches,
      onReady: () => this.#wake(),
    }
    this.#fetchers = positions.map(
      ({ topic, partition, offset }) => new PartitionFetcher(options, { topic, partition }, offset),
    )
  }

  get progress(): readonly TailProgress[] {
    return this.#fetchers
  }

  get fetchQueue(): FetchQueue {
    return queueOf(this.#fetchers)
  }

  /** Whether partitions of a topic are given out; they are read ahead all the same, up to the bound. */
  setPaused(topic: string, paused: boolean): void {
    for (const fetcher of this.#fetchers) if (fetcher.topic === topic) fetcher.paused = paused
    if (!paused) this.#wake()
  }

  /**
   * Waits for records.
   *
   * @returns at most `limit`, in order within each partition; none when none came within the wait, or the
   *   signal did.
   * @throws KafkaAvroError `offset_out_of_range`, `reading_failed` if a batch is damaged; what the other
   *   partitions have is given out before.
   */
  async next(limit: number, withinMs: number, signal: AbortSignal): Promise<readonly LogRecord[]> {
    const wake = (): void => this.#wake()
    signal.addEventListener('abort', wake)
    try {
      const end = performance.now() + withinMs
      while (!signal.aborted) {
        const records = this.#take(limit)
        const restMs = end - performance.now()
        if (records.length > 0 || restMs <= 0) return records
        await this.#woken(restMs)
      }
      return []
    } finally {
      signal.removeEventListener('abort', wake)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#fetchers.map((fetcher) => fetcher.stop()))
  }

  /** What is here of all partitions, beginning with another one each time. */
  #take(limit: number): LogRecord[] {
    const records: LogRecord[] = []
    const count = this.#fetchers.length
    this.#turn += 1
    for (let number = 0; number < count && records.length < limit; number += 1) {
      const fetcher = this.#fetchers[(this.#turn + number) % count]
      if (fetcher === undefined) continue
      try {
        while (fetcher.ready && records.length < limit) fetcher.take(records, limit)
      } catch (error) {
        // What the others gave would be lost; this one fails again at the next turn.
        if (records.length > 0 && error instanceof KafkaAvroError) return records
        throw error
      }
    }
    return records
  }

  async #woken(withinMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, withinMs)
    this.#wake = resolve
    await promise
    clearTimeout(timer)
    this.#wake = () => undefined
  }
}
