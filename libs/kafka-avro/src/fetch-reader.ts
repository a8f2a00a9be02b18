import { setImmediate as nextTurn } from 'node:timers/promises'

import type {
  LibrdKafkaError,
  Message,
  TopicPartition,
  TopicPartitionOffset,
} from '@confluentinc/kafka-javascript'

import type { FetchQueue } from './client-statistics.ts'
import { call } from './connection.ts'
import { KafkaAvroError, messageOf } from './errors.ts'
import { GroupMembership } from './group-membership.ts'
import type { Reading } from './group-membership.ts'
import { CODES } from './librdkafka.ts'
import type { LogReader, LogReaderOptions, LogRecord, PartitionHandlers } from './log-reader.ts'
import { PartitionFetcher, queueOf } from './partition-fetcher.ts'

/** Bytes that all partitions together read ahead, as they come from the broker; as much again is in hand. */
const aheadBytes = 8 * 1024 * 1024
const leastAheadBytes = 128 * 1024
const mostAheadBytes = 1024 * 1024
/** How long the member's poll, which brings rebalances, holds a thread of the pool, in ms. */
const pollMs = 100
/** librdkafka's max.poll.interval.ms: a handler of any kind that hangs for so long loses its partitions. */
const handlerPatienceMs = 300_000

/**
 * The reader that fetches by itself: librdkafka owns the membership, with its partitions paused, and the
 * bytes come over a connection of its own for each partition.
 *
 * A handler that runs for 300 s ends `run` with `reading_failed`: it is not waited for, and may still be
 * running then.
 *
 * Reading costs 0.5 us CPU a record of 95 bytes in lz4 batches, checksum and
 * decompression included, against 4.2 us by librdkafka's binding (2 cores, broker beside it).
 */
export class FetchReader implements LogReader {
  readonly #options: LogReaderOptions
  readonly #membership: GroupMembership
  #fetchers: readonly PartitionFetcher[] = []
  #stopped: Promise<unknown> = Promise.resolve()
  #turn = 0
  #wake: () => void = () => undefined
  /** When the handler that runs was called. */
  #busySince: number | undefined
  #pollFailure: KafkaAvroError | undefined
  /** Ends the wait for the handler that runs. */
  #giveUp: (failure: KafkaAvroError) => void = () => undefined
  #done = false

  constructor(options: LogReaderOptions) {
    this.#options = options
    // Between its assignment and its pause librdkafka may send a fetch: let it be a small one.
    this.#membership = new GroupMembership(options, {
      'queued.min.messages': 1,
      'queued.max.messages.kbytes': 1,
      'fetch.message.max.bytes': 1,
    })
    this.consumer.setDefaultConsumeTimeout(pollMs)
    this.#membership.onEvent(() => this.#wake())
  }

  get consumer(): LogReader['consumer'] {
    return this.#membership.consumer
  }

  get assignment(): readonly TopicPartition[] {
    return this.#membership.assignment
  }

  committed(partitions: readonly TopicPartition[]): ReturnType<LogReader['committed']> {
    return this.#membership.committed(partitions)
  }

  lastKnownEnd(topic: string, partition: number): number | undefined {
    return this.#fetcher(topic, partition)?.end
  }

  readUpTo(topic: string, partition: number): number | undefined {
    return this.#fetcher(topic, partition)?.position
  }

  get fetchQueue(): FetchQueue | undefined {
    return this.#fetchers.length === 0 ? undefined : queueOf(this.#fetchers)
  }

  commitForMonitoring(positions: readonly TopicPartitionOffset[]): void {
    this.consumer.commit([...positions])
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.#setPaused(partitions, true)
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.#setPaused(partitions, false)
    this.#wake()
  }

  async run(handlers: PartitionHandlers, signal: AbortSignal): Promise<void> {
    const reading: Reading = {
      begin: (positions) => this.#begin(positions),
      end: () => this.#end(),
    }
    const watched: PartitionHandlers = {
      assigned: (partitions) => this.#watch(() => handlers.assigned(partitions)),
      revoked: (partitions, lost) => this.#watch(() => handlers.revoked(partitions, lost)),
      process: (records) => this.#watch(() => handlers.process(records)),
    }
    let polling: Promise<void> | undefined
    const wake = () => this.#wake()
    signal.addEventListener('abort', wake)
    try {
      await this.#membership.join()
      polling = this.#poll()
      while (!signal.aborted) {
        if (this.#pollFailure !== undefined) throw this.#pollFailure
        if (await this.#membership.applyRebalance(watched, reading)) continue
        const records = await this.#next(signal)
        // What woke the reader may be the revoke of what it has just read.
        if (records !== undefined) await watched.process(records)
      }
      await this.#membership.release(watched, reading)
    } finally {
      signal.removeEventListener('abort', wake)
      this.#done = true
      this.#end()
      await polling
      await this.#stopped
      await this.#membership.close()
    }
  }

  /** Waits for a handler until it ends or the poll gives it up. */
  async #watch<T>(handle: () => Promise<T>): Promise<T> {
    // A promise for each call: one for all would keep something of every race until the reader ends.
    const { promise: givenUp, reject } = Promise.withResolvers<never>()
    this.#giveUp = reject
    this.#busySince = performance.now()
    try {
      return await Promise.race([handle(), givenUp])
    } finally {
      this.#busySince = undefined
      this.#giveUp = () => undefined
    }
  }

  async #begin(positions: readonly TopicPartitionOffset[]): Promise<void> {
    const exact = await Promise.all(positions.map((position) => this.#exact(position)))
    this.consumer.assign(exact)
    this.consumer.pause(exact)
    const share = Math.floor(aheadBytes / Math.max(1, exact.length))
    const options = {
      connection: this.#options.connection,
      clientId: `${this.#options.clientId}-fetch`,
      aheadBytes: Math.min(mostAheadBytes, Math.max(leastAheadBytes, share)),
      onWarning: this.#options.onWarning,
      fetches: this.#options.fetches,
      onReady: () => this.#wake(),
    }
    this.#fetchers = exact.map(
      ({ topic, partition, offset }) => new PartitionFetcher(options, { topic, partition }, offset),
    )
  }

  /** librdkafka's names for the beginning and the end, as offsets. */
  async #exact(position: TopicPartitionOffset): Promise<TopicPartitionOffset> {
    const { topic, partition, offset } = position
    if (offset >= 0) return position
    try {
      const { lowOffset, highOffset } = await call<{ lowOffset: number; highOffset: number }>(
        (done) => this.consumer.queryWatermarkOffsets(topic, partition, 30_000, done),
      )
      return { topic, partition, offset: offset === offsetEnd ? highOffset : lowOffset }
    } catch (error) {
      throw this.#membership.failure('reading_failed', error)
    }
  }

  #end(): void {
    const fetchers = this.#fetchers
    this.#fetchers = []
    this.#stopped = Promise.all([this.#stopped, ...fetchers.map((fetcher) => fetcher.stop())])
  }

  /** @returns undefined if there is something else to do first. */
  async #next(signal: AbortSignal): Promise<readonly LogRecord[] | undefined> {
    // A full buffer would keep this loop from ever going round by way of the sockets.
    await nextTurn()
    const end = performance.now() + (this.#options.maxWaitMs ?? 50)
    while (!signal.aborted && !this.#membership.rebalancePending) {
      const records = this.#take()
      if (records.length > 0) return records
      const restMs = end - performance.now()
      if (restMs <= 0 || this.#pollFailure !== undefined) return records
      await this.#woken(restMs)
    }
    return undefined
  }

  /** What is here of all partitions, beginning with another one each time. */
  #take(): LogRecord[] {
    const records: LogRecord[] = []
    const limit = this.#options.maxBatch ?? 5_000
    const count = this.#fetchers.length
    this.#turn += 1
    for (let number = 0; number < count && records.length < limit; number += 1) {
      const fetcher = this.#fetchers[(this.#turn + number) % count]
      if (fetcher === undefined) continue
      try {
        while (fetcher.ready && records.length < limit) fetcher.take(records, limit)
      } catch (error) {
        // What the others gave would be lost; this one fails again at the next turn.
        if (records.length > 0) return records
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

  /** Keeps the membership alive; the rebalances that it brings wake the loop. */
  async #poll(): Promise<void> {
    while (!this.#done) {
      try {
        // Records that were under way when the partitions were paused come here: they are not wanted.
        await call<Message[]>((done) => this.consumer.consume(1, done))
      } catch (error) {
        // The binding rejects with LibrdKafkaError. An offset that is out of range is the fetcher's to
        // tell, which reads what counts.
        const { code } = error as LibrdKafkaError
        if (code !== CODES.ERRORS.ERR__AUTO_OFFSET_RESET) {
          this.#options.onWarning(messageOf(error))
          await new Promise((resolve) => setTimeout(resolve, pollMs))
        }
      }
      const hangs =
        this.#busySince !== undefined && performance.now() - this.#busySince > handlerPatienceMs
      if (hangs) {
        const message = `Group ${this.#options.groupId} lets its partitions go: a batch or a rebalance has been worked on for ${handlerPatienceMs / 1000} s. Find out what it waits for: it may never end`
        this.#pollFailure = new KafkaAvroError('reading_failed', message)
        this.#options.onWarning(message)
        this.#giveUp(this.#pollFailure)
        return
      }
    }
  }

  #setPaused(partitions: readonly TopicPartition[], paused: boolean): void {
    for (const { topic, partition } of partitions) {
      const fetcher = this.#fetcher(topic, partition)
      if (fetcher !== undefined) fetcher.paused = paused
    }
  }

  #fetcher(topic: string, partition: number): PartitionFetcher | undefined {
    return this.#fetchers.find(
      (fetcher) => fetcher.topic === topic && fetcher.partition === partition,
    )
  }
}

/** librdkafka's name for a partition's end; -2 is its beginning. */
const offsetEnd = -1
