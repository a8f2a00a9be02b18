import type {
  KafkaConsumer as ConsumerClient,
  MessageHeader,
  TopicPartition,
  TopicPartitionOffset,
} from '@confluentinc/kafka-javascript'

import type { FetchMeasure, FetchQueue, OnStatistics } from './client-statistics.ts'
import { FetchReader } from './fetch-reader.ts'
import { GroupReader } from './group-reader.ts'
import type { KafkaConnection } from './kafka-connection.ts'

/** A record that was read: what both readers give of it. */
export interface LogRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key?: Buffer | string | null | undefined
  /** May be a view of a larger buffer: copy what is kept for long. */
  readonly value: Buffer | null
  /** Ms since the epoch. */
  readonly timestamp?: number | undefined
  /** In the order that they were written in; values are Buffers. Undefined or empty without any. */
  readonly headers?: readonly MessageHeader[] | undefined
}

export interface LogReaderOptions {
  readonly connection: KafkaConnection
  readonly clientId: string
  readonly groupId: string
  readonly topics: readonly string[]
  /** Most records in one call of `process`. */
  readonly maxBatch?: number
  /** How long a read waits for a first record, in ms. */
  readonly maxWaitMs?: number
  readonly onWarning: (message: string) => void
  /** Told of the group's member every few seconds. */
  readonly onStatistics?: OnStatistics | undefined
  /** Told of each fetch, by the reader that fetches by itself. */
  readonly fetches?: FetchMeasure | undefined
}

/** What a service does with its partitions. No two of these run at the same time. */
export interface PartitionHandlers<R extends LogRecord = LogRecord> {
  /** Takes partitions over. @returns where to read on: the next offset of each. */
  assigned(partitions: readonly TopicPartition[]): Promise<readonly TopicPartitionOffset[]>
  /**
   * Lets partitions go; what is in hand must be finished or thrown away when it returns.
   *
   * @param lost they may have another owner already: nothing can be committed any more.
   */
  revoked(partitions: readonly TopicPartition[], lost: boolean): Promise<void>
  /** Records in order within each partition. An empty batch when none came within the wait. */
  process(records: readonly R[]): Promise<void>
}

/**
 * Reads topics as a member of a consumer group. Positions are the caller's: it says on assignment where
 * to read on, and nothing else moves them. An offset that the broker does not have halts with an error
 * instead of skipping.
 */
export interface LogReader {
  /** The member of the group, which a transaction that commits offsets must name. */
  readonly consumer: ConsumerClient
  /** Partitions that this reader owns now. */
  readonly assignment: readonly TopicPartition[]
  /**
   * The group's committed offsets, waiting for open transactions to end.
   *
   * @returns for each partition the next offset to read; undefined where none was ever committed.
   * @throws KafkaAvroError `reading_failed`.
   */
  committed(
    partitions: readonly TopicPartition[],
  ): Promise<readonly { partition: number; topic: string; offset: number | undefined }[]>
  /** A partition's end as the last fetch told it: no request is made. Undefined if there was none. */
  lastKnownEnd(topic: string, partition: number): number | undefined
  /**
   * Behind what was given out of a partition, and, where the reader knows it, behind what is no record after it
   * (markers of transactions, records of aborted ones). Undefined if the partition is not its own.
   */
  readUpTo(topic: string, partition: number): number | undefined
  /** What is fetched and not given out yet; undefined if librdkafka has it, or no partition is owned. */
  readonly fetchQueue: FetchQueue | undefined
  /** Offsets for lag monitoring; nothing reads on from them. */
  commitForMonitoring(positions: readonly TopicPartitionOffset[]): void
  /**
   * Stops the delivery of partitions that it owns: to be called by a handler, no later `process` has
   * records of them. A new assignment of them starts unpaused.
   */
  pause(partitions: readonly TopicPartition[]): void
  /** Goes on behind the last record that was delivered. */
  resume(partitions: readonly TopicPartition[]): void
  /**
   * Reads until the signal, then lets go of its partitions and leaves the group.
   *
   * @throws KafkaAvroError `broker_unreachable`, `reading_failed`, `offset_out_of_range`, and what a
   *   handler threw: the state in memory is not to be trusted then.
   */
  run(handlers: PartitionHandlers, signal: AbortSignal): Promise<void>
}

/**
 * Who brings the bytes, read committed either way: `librdkafka`, or `fetch`, which leaves the membership to
 * librdkafka and reads with far less CPU.
 */
export const logReaderKinds = ['librdkafka', 'fetch'] as const
export type LogReaderKind = (typeof logReaderKinds)[number]

export function createLogReader(kind: LogReaderKind, options: LogReaderOptions): LogReader {
  return kind === 'fetch' ? new FetchReader(options) : new GroupReader(options)
}
