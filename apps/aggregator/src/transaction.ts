import { rejectedHeaders, topicName } from '@tickertape/kafka-avro'
import type { LogReader, Serializer, TransactionalProducer } from '@tickertape/kafka-avro'

import { partitionKey, windowKey } from './changelog-key.ts'
import type { PartitionOutput } from './owned-partition.ts'
import { asBuffer } from './stored-window-codec.ts'
import type { TransactionTraces } from './transaction-traces.ts'

export interface TransactionTargets {
  readonly producer: TransactionalProducer
  /** The member of the group whose offsets are committed. */
  readonly reader: LogReader
  readonly topicPrefix: string
  readonly candles: Serializer<'candles'>
  readonly state: Serializer<'aggregator-state'>
}

/**
 * Commits candles, rejected records, the changelog and the offsets of partitions at once: all of it is seen
 * or nothing.
 *
 * @throws KafkaAvroError `transaction_failed`. If the commit itself failed, it may count all the same: the
 *   next session finds out by the committed offsets. Before that, nothing of it counts.
 */
export async function commitOutputs(
  targets: TransactionTargets,
  outputs: readonly PartitionOutput[],
  traces?: TransactionTraces,
): Promise<void> {
  const { producer, reader, topicPrefix } = targets
  await producer.begin()
  for (const output of outputs) {
    await produceCandles(targets, output, traces)
    await produceRejected(targets, output)
    await produceState(targets, output)
  }
  const topic = topicName('market-events', topicPrefix)
  const positions = outputs.map(({ partition, position }) => ({
    topic,
    partition,
    offset: position,
  }))
  await producer.sendOffsets(positions, reader)
  await producer.commit()
}

async function produceCandles(
  { producer, topicPrefix, candles: serializer }: TransactionTargets,
  { partition, candles }: PartitionOutput,
  traces: TransactionTraces | undefined,
): Promise<void> {
  const topic = topicName('candles', topicPrefix)
  for (const candle of candles) {
    const value = serializer.serialize(candle)
    const headers = traces?.send(candle, topic, partition)
    const record = {
      topic,
      partition,
      key: candle.instrumentId,
      value,
      ...(headers && { headers }),
    }
    if (!producer.tryProduce(record)) await producer.produce(record)
  }
}

async function produceRejected(
  { producer, topicPrefix }: TransactionTargets,
  { partition, rejected }: PartitionOutput,
): Promise<void> {
  const topic = topicName('rejected', topicPrefix)
  for (const { record, reason, message } of rejected) {
    const headers = rejectedHeaders({
      stage: 'aggregator',
      reason,
      message,
      topic: record.topic,
      partition: record.partition,
      offset: record.offset,
    })
    const { key, value } = record
    await producer.produce({ topic, partition, key: key ?? null, value, headers })
  }
}

/** The partition's own record comes last: it says of the others that they are complete. */
async function produceState(
  { producer, topicPrefix, state: serializer }: TransactionTargets,
  { partition, changes }: PartitionOutput,
): Promise<void> {
  const topic = topicName('aggregator-state', topicPrefix)
  for (const window of changes.windows) {
    const value = window.value === null ? null : asBuffer(window.value)
    const record = { topic, partition, key: windowKey(window), value }
    if (!producer.tryProduce(record)) await producer.produce(record)
  }
  for (const instrument of changes.instruments) {
    const value = serializer.serialize({ type: 'InstrumentState', value: instrument })
    await producer.produce({ topic, partition, key: instrument.instrumentId, value })
  }
  const value = serializer.serialize({ type: 'PartitionState', value: changes.partition })
  await producer.produce({ topic, partition, key: partitionKey, value })
}
