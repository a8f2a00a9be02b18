import type { EofEvent, Message } from '@confluentinc/kafka-javascript'

import {
  call,
  codeOf,
  connectAllowed,
  connectionSettings,
  consumeWhatIsThere,
  disconnect,
  haltOutOfRange,
  requireAccess,
} from './connection.ts'
import { KafkaAvroError, messageOf } from './errors.ts'
import type { KafkaConnection } from './kafka-connection.ts'
import { CODES, KafkaConsumer } from './librdkafka.ts'

export interface PartitionLogOptions {
  readonly connection: KafkaConnection
  readonly clientId: string
}

export interface PartitionRange {
  readonly topic: string
  readonly partition: number
  /** First offset to read; 'earliest' for all that is kept. */
  readonly from: number | 'earliest'
  /** Where to stop, exclusive; 'end' for all that was written before the call. */
  readonly to: number | 'end'
}

/** Longest wait for a read to come nearer to its end, in ms: a transaction's timeout and some more. */
const stallMs = 60_000

/**
 * Reads a stretch of one partition, read committed, outside of any group.
 *
 * With `to: 'end'` the end is the read-uncommitted end at the call, and records are read committed
 * until the position has come there: transactions still open are waited for, so a predecessor's commit
 * that its broker is still writing is seen (the race of KAFKA-10167).
 *
 * @throws KafkaAvroError `offset_out_of_range` if the log begins later, `reading_failed` if the broker is
 *   gone, `access_refused`.
 */
export async function* readPartition(
  options: PartitionLogOptions,
  range: PartitionRange,
): AsyncGenerator<readonly Message[]> {
  await requireAccess(options.connection)
  const consumer = new KafkaConsumer(
    {
      ...connectionSettings(options.connection, options.clientId),
      // Never joined and never committed to, but librdkafka wants one.
      'group.id': `${options.clientId}-log`,
      'enable.auto.commit': false,
      'enable.partition.eof': true,
      'isolation.level': 'read_committed',
      'fetch.wait.max.ms': 50,
      // A restore reads some partitions at once, each with a queue of its own: 4 MB instead of 64 take
      // 300 MB less of memory and a sixth less CPU, 4.5 us a record.
      'queued.max.messages.kbytes': 4_096,
      // How long a full queue keeps the next fetch back; its second by default is half of a restore.
      'fetch.queue.backoff.ms': 5,
    },
    haltOutOfRange,
  )
  let position = -1
  // Past its last committed record, a partition's end shows only in this event: the markers of
  // transactions take offsets too.
  consumer.on('partition.eof', (eof: EofEvent) => {
    position = Math.max(position, eof.offset)
  })
  try {
    await connectAllowed(consumer, options.connection)
    const { topic, partition } = range
    const { lowOffset, highOffset } = await call<{ lowOffset: number; highOffset: number }>(
      (done) => consumer.queryWatermarkOffsets(topic, partition, 30_000, done),
    )
    const end = range.to === 'end' ? highOffset : range.to
    const start = range.from === 'earliest' ? lowOffset : range.from
    if (start >= end) return
    consumer.assign([{ topic, partition, offset: start }])
    consumeWhatIsThere(consumer, 20)
    let progressed = performance.now()
    let before = position
    while (position < end) {
      const messages = await call<Message[]>((done) => consumer.consume(1_000, done))
      const last = messages.at(-1)
      if (last !== undefined) position = Math.max(position, last.offset + 1)
      const inRange =
        last === undefined || last.offset < end
          ? messages
          : messages.filter(({ offset }) => offset < end)
      if (inRange.length > 0) yield inRange
      if (position !== before) {
        before = position
        progressed = performance.now()
      } else if (performance.now() - progressed > stallMs) {
        throw new Error(`no progress at offset ${position} of ${end} for ${stallMs / 1000} s`)
      }
    }
  } catch (error) {
    throw new KafkaAvroError(
      codeOf(error) === CODES.ERRORS.ERR__AUTO_OFFSET_RESET
        ? 'offset_out_of_range'
        : 'reading_failed',
      `Could not read ${range.topic} [${range.partition}] from ${range.from} to ${range.to}: ${messageOf(error)}`,
      { cause: error },
    )
  } finally {
    await disconnect(consumer)
  }
}
