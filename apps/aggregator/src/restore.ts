import { PartitionAggregation } from '@tickertape/candles'
import { DecodeFailure, Deserializer, readPartition, topicName } from '@tickertape/kafka-avro'
import type { Registry } from '@tickertape/kafka-avro'

import { readChangelog } from './changelog.ts'
import type { AggregatorConfig } from './config.ts'

export interface RestoredPartition {
  readonly aggregation: PartitionAggregation
  /** Next offset of market-events to read; librdkafka's -2 for the beginning. */
  readonly position: number
  /** Records that were read again for the windows that are open. */
  readonly replayed: number
}

const offsetBeginning = -2

/**
 * Brings a partition's aggregation to where its committed offset stands: closed windows from the
 * changelog, open ones by reading the log again from the restore offset.
 *
 * @throws Error if changelog and offsets do not belong together, or were made with other settings:
 *   nothing has been written then.
 */
export async function restorePartition(
  { config, registry }: { readonly config: AggregatorConfig; readonly registry: Registry },
  partition: number,
  committed: number | undefined,
): Promise<RestoredPartition> {
  const state = await readChangelog(config, registry, partition)
  const topic = topicName('market-events', config.kafka.topicPrefix)
  if (state.partition?.committedOffset !== committed) {
    throw new Error(
      `The changelog of ${topic} [${partition}] stands at offset ${state.partition?.committedOffset ?? 'none'}, the committed offset of group ${config.kafka.groupId} is ${committed ?? 'none'}: one of them was restored, deleted or moved without the other. Bring them back together, or delete both to compute from the log's beginning`,
    )
  }
  const aggregation = PartitionAggregation.restore(
    config.windows,
    state.partition,
    state.instruments,
  )
  if (state.partition === undefined || committed === undefined) {
    return { aggregation, position: offsetBeginning, replayed: 0 }
  }
  let replayed = 0
  const deserializer = new Deserializer('market-events', registry)
  const batches = readPartition(
    { brokers: config.kafka.brokers, clientId: `${config.kafka.transactionalId}-restore` },
    { topic, partition, from: state.partition.restoreOffset, to: committed },
  )
  for await (const messages of batches) {
    await deserializer.prepare(messages.map(({ value }) => value))
    for (const { value, offset } of messages) {
      const event = deserializer.deserialize(value)
      replayed += 1
      // It was rejected when it was read for the first time.
      if (!(event instanceof DecodeFailure)) aggregation.replay(event, offset)
    }
  }
  return { aggregation, position: committed, replayed }
}
