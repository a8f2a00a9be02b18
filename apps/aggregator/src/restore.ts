import { AggregationSettingsError, PartitionAggregation } from '@tickertape/candles'
import type { StoredWindowCodec } from '@tickertape/candles'
import { DecodeFailure, topicName } from '@tickertape/kafka-avro'
import type { Deserializer, MarketEventReader } from '@tickertape/kafka-avro'
import type { RebuildProgress } from '@tickertape/market-model'

import { readChangelog } from './changelog.ts'
import type { AggregatorConfig } from './config.ts'
import type { RestoreCounts } from './events.ts'
import { readRange } from './partition-range.ts'
import type { Rereads } from './rereads.ts'
import { StateMismatch, requireMatchingState } from './state-mismatch.ts'
import type { PartitionStanding } from './state-mismatch.ts'

export interface RestoreSources {
  readonly config: AggregatorConfig
  readonly codec: StoredWindowCodec
  readonly marketEvents: MarketEventReader
  readonly state: Deserializer<'aggregator-state'>
  readonly rereads: Rereads
}

export interface RestoredPartition {
  readonly aggregation: PartitionAggregation
  /** A rebuild whose candles were written in part. */
  readonly rebuild: RebuildProgress | null
  readonly counts: RestoreCounts
}

/**
 * Brings a partition's aggregation to where its committed offset stands: closed windows from the
 * changelog, open ones by reading the log again from the restore offset.
 *
 * @throws StateMismatch if changelog and offsets do not belong together, AggregationSettingsError if they
 *   were made with other settings: nothing has been written then.
 * @throws the signal's reason once it is aborted.
 */
export async function restorePartition(
  sources: RestoreSources,
  standing: PartitionStanding,
  signal: AbortSignal,
): Promise<RestoredPartition> {
  const { config, codec } = sources
  const { partition, committed } = standing
  const state = await readChangelog(config, sources.state, partition, signal)
  requireMatchingState(standing, state.partition)
  if (state.partition === undefined && (state.instruments.length > 0 || state.windowCount > 0)) {
    throw new StateMismatch(
      `The changelog ${standing.stateTopic} [${partition}] holds ${state.instruments.length} instruments and ${state.windowCount} windows, but no state of the partition: it has lost records. Restore it together with the offsets of group ${standing.groupId}, or delete both to compute anew`,
    )
  }
  const aggregation = withPartitionNamed(standing, () =>
    PartitionAggregation.restore(config.windows, codec, state),
  )
  const counts = { windows: state.windowCount, instruments: state.instruments.length }
  if (state.partition === undefined || committed === undefined) {
    return { aggregation, rebuild: null, counts: { ...counts, replayed: 0 } }
  }
  const { restoreOffset, rebuild } = state.partition
  const range = { partition, from: restoreOffset, to: committed }
  const replayed = await replay(sources, aggregation, range, signal)
  return { aggregation, rebuild, counts: { ...counts, replayed } }
}

async function replay(
  { config, marketEvents }: RestoreSources,
  aggregation: PartitionAggregation,
  range: { readonly partition: number; readonly from: number; readonly to: number },
  signal: AbortSignal,
): Promise<number> {
  let replayed = 0
  const topic = topicName('market-events', config.kafka.topicPrefix)
  for await (const messages of readRange(config, 'restore', { topic, ...range })) {
    signal.throwIfAborted()
    await marketEvents.prepare(messages)
    for (const { value, offset } of messages) {
      const event = marketEvents.read(value)
      replayed += 1
      // It was rejected when it was read for the first time.
      if (!(event instanceof DecodeFailure)) aggregation.replay(event, offset)
    }
  }
  return replayed
}

/** @throws AggregationSettingsError that says where the settings were recorded. */
function withPartitionNamed<T>({ stateTopic, partition }: PartitionStanding, run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof AggregationSettingsError)) throw error
    throw new AggregationSettingsError(error.code, `${stateTopic} [${partition}]: ${error.message}`)
  }
}
