import { KafkaAvroError, messageOf } from './errors.ts'
import type { LogRecord } from './log-reader.ts'
import { PartitionConnection } from './partition-connection.ts'
import type { FetchedBytes, PartitionConnectionOptions } from './partition-connection.ts'
import type { PartitionRange } from './partition-log.ts'
import { patiently } from './patience.ts'
import { RecordChunk } from './record-batch.ts'

export interface PartitionFetchOptions extends PartitionConnectionOptions {
  /** Most bytes of one fetch, as they come from the broker; two of them are in memory. */
  readonly fetchBytes?: number
  readonly onWarning?: (message: string) => void
}

const defaultFetchBytes = 1024 * 1024
const recordsAtOnce = 2_000
/** Longest wait for a read to come nearer to its end, in ms: a transaction's timeout and some more. */
const stallMs = 60_000
const longPollMs = 500

/**
 * What `readPartition` reads, in the same order and as far, without librdkafka: read committed too, of topics with or
 * without transactions. A million records of 190 bytes in four partitions take 0.8 us CPU each, against
 * 4.5 us.
 *
 * @throws KafkaAvroError `offset_out_of_range` if the log begins later, or ends before `to`;
 *   `reading_failed` when no broker has answered for a minute, or a transaction stays open.
 */
export async function* fetchPartition(
  options: PartitionFetchOptions,
  range: PartitionRange,
): AsyncGenerator<readonly LogRecord[]> {
  const { topic, partition } = range
  const source = { topic, partition }
  const stopping = new AbortController()
  const warn = options.onWarning ?? (() => undefined)
  await using connection = new PartitionConnection(options, source)
  const asked = <T>(ask: () => Promise<T>) => patiently(ask, stopping.signal, warn)
  const fetch = (offset: number): Promise<FetchedBytes> => {
    const fetched = asked(() =>
      connection.fetch({
        offset,
        maxWaitMs: longPollMs,
        maxBytes: options.fetchBytes ?? defaultFetchBytes,
      }),
    )
    // Whoever stops early does not ask for what is fetched ahead.
    fetched.catch(() => undefined)
    return fetched
  }
  try {
    const end = range.to === 'end' ? await asked(() => connection.offset('end')) : range.to
    let position =
      range.from === 'earliest' ? await asked(() => connection.offset('begin')) : range.from
    let progressed = performance.now()
    let next = position < end ? fetch(position) : undefined
    while (next !== undefined) {
      const { batches, aborted } = await next
      const chunk = new RecordChunk(source, batches, aborted, position, end - 1)
      if (chunk.nextOffset > position) progressed = performance.now()
      else if (performance.now() - progressed > stallMs) {
        throw new Error(`no progress at offset ${position} of ${end} for ${stallMs / 1000} s`)
      }
      position = chunk.nextOffset
      next = position < end ? fetch(position) : undefined
      while (!chunk.done) {
        const records: LogRecord[] = []
        chunk.take(records, recordsAtOnce)
        if (records.length > 0) yield records
      }
    }
  } catch (error) {
    if (error instanceof KafkaAvroError) throw error
    throw new KafkaAvroError(
      'reading_failed',
      `Could not read ${topic} [${partition}] from ${range.from} to ${range.to}: ${messageOf(error)}`,
      { cause: error },
    )
  } finally {
    stopping.abort()
  }
}
