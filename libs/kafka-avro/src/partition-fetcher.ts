import type { FetchMeasure, FetchQueue } from './client-statistics.ts'
import { KafkaAvroError, messageOf } from './errors.ts'
import type { LogRecord } from './log-reader.ts'
import { PartitionConnection } from './partition-connection.ts'
import type { FetchedBytes, PartitionConnectionOptions } from './partition-connection.ts'
import { patiently } from './patience.ts'
import { RecordChunk } from './record-batch.ts'
import type { LogSource } from './record-batch.ts'

export interface PartitionFetcherOptions extends PartitionConnectionOptions {
  /** Bytes, as they come from the broker, up to which it reads ahead; one more fetch may lie above it. */
  readonly aheadBytes: number
  readonly onWarning: (message: string) => void
  /** There is something to take, or it has failed. */
  readonly onReady: () => void
  /** How long a broker is waited for before reading has failed, in ms; a minute unless given. */
  readonly patienceMs?: number
  readonly fetches?: FetchMeasure | undefined
}

/** A record that is appended meanwhile is sent at once: this bounds the empty answers only, in ms. */
const longPollMs = 500

/** Reads one partition ahead, from an offset on, within a bound of bytes. */
export class PartitionFetcher implements LogSource {
  readonly topic: string
  readonly partition: number
  readonly #options: PartitionFetcherOptions
  readonly #connection: PartitionConnection
  readonly #stopping = new AbortController()
  readonly #chunks: RecordChunk[] = []
  readonly #running: Promise<void>
  #waiting = 0
  #offset: number
  #position: number
  #answeredAt = performance.now()
  #end: number | undefined
  #stableEnd: number | undefined
  #failure: KafkaAvroError | undefined
  #onRoom: (() => void) | undefined
  paused = false

  constructor(options: PartitionFetcherOptions, source: LogSource, offset: number) {
    this.topic = source.topic
    this.partition = source.partition
    this.#options = options
    this.#offset = offset
    this.#position = offset
    this.#connection = new PartitionConnection(options, source)
    this.#running = this.#run()
  }

  /** The partition's end by the last answer. */
  get end(): number | undefined {
    return this.#end
  }

  /** Where, by the last answer, its first open transaction begins; its end without one. */
  get stableEnd(): number | undefined {
    return this.#stableEnd
  }

  /** Behind what was taken; markers of transactions, which are no records, are passed with what is before them. */
  get position(): number {
    return this.#position
  }

  /** What it has fetched and not given out. */
  get queue(): FetchQueue {
    return { bytes: this.#waiting, limit: this.#options.aheadBytes }
  }

  /** How long no broker has answered, in ms; with nothing new an answer comes twice a second. */
  get silentMs(): number {
    return performance.now() - this.#answeredAt
  }

  get ready(): boolean {
    return !this.paused && (this.#chunks.length > 0 || this.#failure !== undefined)
  }

  /**
   * Takes records that are here.
   *
   * @param into gets them, up to `limit` in all.
   * @throws KafkaAvroError `offset_out_of_range`, `reading_failed`; what was read before is taken first.
   */
  take(into: LogRecord[], limit: number): void {
    const [chunk] = this.#chunks
    if (chunk === undefined) {
      if (this.#failure !== undefined) throw this.#failure
      return
    }
    try {
      const before = into.length
      chunk.take(into, limit)
      const last = into.at(-1)
      if (chunk.done) this.#position = chunk.nextOffset
      else if (into.length > before && last !== undefined) this.#position = last.offset + 1
    } catch (error) {
      // Nothing behind a damaged batch may be taken, or what was in it would be skipped.
      this.#stopping.abort()
      this.#chunks.length = 0
      this.#failure = new KafkaAvroError(
        'reading_failed',
        `Cannot read ${this.topic} [${this.partition}]: ${messageOf(error)}`,
        { cause: error },
      )
      throw this.#failure
    }
    if (!chunk.done) return
    this.#chunks.shift()
    this.#waiting -= chunk.byteLength
    this.#onRoom?.()
  }

  /** Stops at once: nothing can be taken any more. The promise is the end of its connection. */
  async stop(): Promise<void> {
    this.paused = true
    this.#chunks.length = 0
    this.#stopping.abort()
    this.#onRoom?.()
    await this.#connection[Symbol.asyncDispose]()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    try {
      while (!signal.aborted) {
        await this.#room()
        const { onWarning, patienceMs } = this.#options
        const fetched = await patiently(() => this.#fetch(), signal, onWarning, patienceMs)
        if (!signal.aborted) this.#keep(fetched)
      }
    } catch (error) {
      if (!signal.aborted) this.#fail(error)
    }
  }

  async #fetch(): Promise<FetchedBytes> {
    const { aheadBytes, fetches } = this.#options
    try {
      const fetched = await this.#connection.fetch({
        offset: this.#offset,
        maxWaitMs: longPollMs,
        maxBytes: aheadBytes,
      })
      fetches?.fetched(fetched.batches.length)
      return fetched
    } catch (error) {
      if (!this.#stopping.signal.aborted) fetches?.failed()
      throw error
    }
  }

  #keep({ batches, end, stableEnd, aborted }: FetchedBytes): void {
    this.#end = end
    this.#stableEnd = stableEnd
    this.#answeredAt = performance.now()
    const chunk = new RecordChunk(this, batches, aborted, this.#offset)
    this.#offset = chunk.nextOffset
    if (chunk.done) return
    this.#chunks.push(chunk)
    this.#waiting += chunk.byteLength
    this.#options.onReady()
  }

  async #room(): Promise<void> {
    while (this.#waiting >= this.#options.aheadBytes && !this.#stopping.signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#onRoom = resolve
      await promise
    }
    this.#onRoom = undefined
  }

  #fail(error: unknown): void {
    this.#failure =
      error instanceof KafkaAvroError
        ? error
        : new KafkaAvroError('reading_failed', messageOf(error), { cause: error })
    this.#options.onReady()
  }
}

/** Of several together. */
export function queueOf(fetchers: readonly PartitionFetcher[]): FetchQueue {
  let [bytes, limit] = [0, 0]
  for (const { queue } of fetchers) {
    bytes += queue.bytes
    limit += queue.limit
  }
  return { bytes, limit }
}
