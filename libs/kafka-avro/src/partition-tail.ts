import { KafkaAvroError, messageOf } from './errors.ts'
import type { LogRecord } from './log-reader.ts'
import { PartitionConnection } from './partition-connection.ts'
import type { PartitionFetchOptions } from './partition-fetch.ts'
import { patiently } from './patience.ts'
import { RecordChunk } from './record-batch.ts'

export interface PartitionTail {
  readonly topic: string
  readonly partition: number
  /** First offset to read; 'earliest' for all that is kept. */
  readonly from: number | 'earliest'
}

const defaultFetchBytes = 256 * 1024
const longPollMs = 500

/**
 * Reads a partition, read committed, and goes on with what is written to it until the signal: each list
 * that it gives is some records in order, never none.
 *
 * @throws KafkaAvroError `offset_out_of_range` if the log begins later or has become shorter;
 *   `reading_failed` when no broker has answered for a minute.
 */
export async function* tailPartition(
  options: PartitionFetchOptions,
  { topic, partition, from }: PartitionTail,
  signal: AbortSignal,
): AsyncGenerator<readonly LogRecord[]> {
  const source = { topic, partition }
  const warn = options.onWarning ?? (() => undefined)
  await using connection = new PartitionConnection(options, source)
  const maxBytes = options.fetchBytes ?? defaultFetchBytes
  try {
    let position =
      from === 'earliest' ? await patiently(() => connection.offset('begin'), signal, warn) : from
    while (!signal.aborted) {
      const request = { offset: position, maxWaitMs: longPollMs, maxBytes }
      const { batches, aborted } = await patiently(() => connection.fetch(request), signal, warn)
      const chunk = new RecordChunk(source, batches, aborted, position)
      position = chunk.nextOffset
      const records: LogRecord[] = []
      chunk.take(records, Infinity)
      if (records.length > 0) yield records
    }
  } catch (error) {
    if (signal.aborted) return
    if (error instanceof KafkaAvroError) throw error
    throw new KafkaAvroError(
      'reading_failed',
      `Could not follow ${topic} [${partition}] from ${from}: ${messageOf(error)}`,
      { cause: error },
    )
  }
}
