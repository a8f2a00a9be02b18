import { DecodeFailure, Deserializer, readPartition, topicName } from '@tickertape/kafka-avro'
import type { Registry } from '@tickertape/kafka-avro'
import type { InstrumentState, PartitionState } from '@tickertape/market-model'

import type { AggregatorConfig } from './config.ts'

/** Key of a partition's own state; all other keys are instrumentIds, which have a colon. */
export const partitionKey = 'partition'

export interface ChangelogState {
  readonly partition: PartitionState | undefined
  readonly instruments: readonly InstrumentState[]
}

/**
 * The latest state of one partition, with every transaction seen that was open at the call.
 *
 * @throws Error if a record cannot be read: state must not be guessed.
 */
export async function readChangelog(
  config: AggregatorConfig,
  registry: Registry,
  partition: number,
): Promise<ChangelogState> {
  const topic = topicName('aggregator-state', config.kafka.topicPrefix)
  const deserializer = new Deserializer('aggregator-state', registry)
  const instruments = new Map<string, InstrumentState>()
  let own: PartitionState | undefined
  const batches = readPartition(
    { brokers: config.kafka.brokers, clientId: `${config.kafka.transactionalId}-restore` },
    { topic, partition, from: 'earliest', to: 'end' },
  )
  for await (const messages of batches) {
    await deserializer.prepare(messages.map(({ value }) => value))
    for (const { key, value, offset } of messages) {
      if (value === null) {
        instruments.delete(String(key))
        continue
      }
      const state = deserializer.deserialize(value)
      if (state instanceof DecodeFailure) {
        throw new Error(
          `State in ${topic} [${partition}] at offset ${offset} cannot be read (${state.message}): another version wrote it; run that version, or rebuild`,
        )
      }
      if (state.type === 'PartitionState') own = state.value
      else instruments.set(state.value.instrumentId, state.value)
    }
  }
  return { partition: own, instruments: [...instruments.values()] }
}
