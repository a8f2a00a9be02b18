import { offsetsAtTime, readPartition } from '@tickertape/kafka-avro'
import type { KafkaConnection } from '@tickertape/kafka-avro'

export interface RangeBeginning {
  readonly offset: number
  /** When the oldest record that is kept was appended, in ms; undefined if there is none. */
  readonly oldestAppended: number | undefined
}

/**
 * Where in a partition reading must begin to have every record of events since a time: events are appended
 * after they happened, so by the time of appending.
 *
 * @returns the partition's end if nothing was appended since.
 */
export async function firstAppendedSince(
  connection: KafkaConnection,
  topic: string,
  log: { readonly partition: number; readonly low: number; readonly high: number },
  time: number,
): Promise<RangeBeginning> {
  const { partition, low, high } = log
  if (low >= high) return { offset: high, oldestAppended: undefined }
  const offsets = await offsetsAtTime(connection, topic, time)
  const batches = readPartition(
    { connection, clientId: 'rebuild' },
    { topic, partition, from: low, to: low + 1 },
  )
  let oldestAppended: number | undefined
  for await (const messages of batches) oldestAppended ??= messages[0]?.timestamp
  return { offset: Math.max(low, offsets.get(partition) ?? high), oldestAppended }
}
