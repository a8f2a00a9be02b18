import { readPartition, topicName } from '@tickertape/kafka-avro'
import type { RunningStack } from '@tickertape/stack'

import { startAggregator } from './aggregator-process.ts'
import type { MarketFill } from './market-fill.ts'
import type { ThroughputOptions } from './throughput.ts'

/** Records that a restore must find for its time to be a figure. */
export const restoredRecords = 1_000_000

/**
 * Starts the aggregator on what an earlier run of the same group left, and lets it tell how long it
 * took to have its state again.
 *
 * @returns seconds.
 * @throws Error if there are fewer live changelog records than the figure is for.
 */
export async function measureRestore({
  stack,
  fill,
  groupId,
  cpuProf,
}: ThroughputOptions): Promise<number> {
  const live = await liveChangelogRecords(stack, fill)
  if (live < restoredRecords) {
    throw new Error(
      `${topicName('aggregator-state', fill.prefix)} holds ${live} live records, where the log of ${fill.plan.instruments} instruments must leave at least ${restoredRecords}, one for each closed window: the time of restoring fewer is not restoreSeconds`,
    )
  }
  await using aggregator = startAggregator({ stack, prefix: fill.prefix, groupId, cpuProf })
  await aggregator.joined()
  const [restores, seconds, windows] = await Promise.all([
    aggregator.metric('aggregator_restore_seconds_count'),
    aggregator.metric('aggregator_restore_seconds_sum'),
    aggregator.metric('aggregator_restored_windows_total'),
  ])
  await aggregator.stop()
  if (restores !== 1 || windows < restoredRecords) {
    throw new Error(
      `The aggregator restored ${windows} windows in ${restores} restores, where one restore of at least ${restoredRecords} is to be timed`,
    )
  }
  return seconds
}

/** Keys whose latest record is no tombstone. */
async function liveChangelogRecords(stack: RunningStack, fill: MarketFill): Promise<number> {
  const topic = topicName('aggregator-state', fill.prefix)
  let live = 0
  for (const partition of fill.ends.keys()) {
    const keys = new Set<string>()
    const batches = readPartition(
      { connection: { brokers: stack.kafkaBrokers }, clientId: `${fill.prefix}count` },
      { topic, partition, from: 'earliest', to: 'end' },
    )
    for await (const messages of batches) {
      for (const { key, value } of messages) {
        if (value === null) keys.delete(String(key))
        else keys.add(String(key))
      }
    }
    live += keys.size
  }
  return live
}
