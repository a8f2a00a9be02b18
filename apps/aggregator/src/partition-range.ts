import { fetchPartition, readPartition } from '@tickertape/kafka-avro'
import type { LogRecord, PartitionRange } from '@tickertape/kafka-avro'

import type { AggregatorConfig } from './config.ts'

/**
 * Reads a stretch of a partition, read committed, by the client that AGGREGATOR_READER chooses.
 *
 * @param purpose part of the client's name in the broker's log.
 * @throws KafkaAvroError `offset_out_of_range`, `reading_failed`.
 */
export function readRange(
  { kafka: { connection, transactionalId }, reader }: AggregatorConfig,
  purpose: 'restore' | 'rebuild',
  range: PartitionRange,
): AsyncGenerator<readonly LogRecord[]> {
  const options = { connection, clientId: `${transactionalId}-${purpose}` }
  // A million changelog records cost 0.8 us CPU each by the one, and 4.5 us by the other.
  return reader === 'fetch' ? fetchPartition(options, range) : readPartition(options, range)
}
