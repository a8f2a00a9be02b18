import {
  DecodeFailure,
  Deserializer,
  Registry,
  readPartition,
  topicName,
  topicOffsets,
} from '@tickertape/kafka-avro'
import type { RunningStack } from '@tickertape/stack'

import { startAggregator } from './aggregator-process.ts'
import { BenchAdmin } from './bench-admin.ts'
import { CandleTally } from './candle-tally.ts'
import { expectedCandles, tradesOf } from './fill-plan.ts'
import type { MarketFill } from './market-fill.ts'

export interface Throughput {
  readonly tradesPerSecond: number
  readonly cpuMicrosPerTrade: number
  readonly rssMb: number
}

export interface ThroughputOptions {
  readonly stack: RunningStack
  readonly fill: MarketFill
  /** Its own for each run, without the prefix. */
  readonly groupId: string
  readonly cpuProf: string | undefined
  /** On top of the aggregator's settings. */
  readonly environment?: Readonly<Record<string, string>>
}

/**
 * Runs the aggregator over a filled log, from owning its partitions to the commit of the last record,
 * and checks what it wrote.
 *
 * @throws Error if the candles are not what the log comes to: the speed of a wrong result is no figure.
 */
export async function measureThroughput(options: ThroughputOptions): Promise<Throughput> {
  const { stack, fill, groupId } = options
  await using admin = await BenchAdmin.open({ brokers: stack.kafkaBrokers })
  await admin.resetOutputs(fill.prefix)
  await using aggregator = startAggregator({ ...options, prefix: fill.prefix })
  const begin = await aggregator.joined()
  const almost = tradesOf(fill.plan) / 10
  await aggregator.until('commit its last record', async () => {
    const left = await admin.uncommitted(fill.prefix + groupId, fill.topic, fill.ends)
    if (left === 0) return true
    // Questions cost the broker time that belongs to the aggregator: many only near the end.
    if (left > almost) await new Promise((resolve) => setTimeout(resolve, 100))
    return false
  })
  const end = await aggregator.usage()
  await aggregator.stop()
  await checkCandles(stack, fill)
  const trades = tradesOf(fill.plan)
  return {
    tradesPerSecond: trades / ((end.at - begin.at) / 1_000),
    cpuMicrosPerTrade: ((end.cpuSeconds - begin.cpuSeconds) * 1e6) / trades,
    rssMb: end.peakRssMb,
  }
}

async function checkCandles(stack: RunningStack, fill: MarketFill): Promise<void> {
  const { kafkaBrokers, registryUrl } = stack
  const connection = { brokers: kafkaBrokers }
  const topic = topicName('candles', fill.prefix)
  const deserializer = new Deserializer('candles', new Registry({ url: registryUrl }, fill.prefix))
  const tally = new CandleTally()
  for (const partition of fill.ends.keys()) {
    const batches = readPartition(
      { connection, clientId: `${fill.prefix}check` },
      { topic, partition, from: 'earliest', to: 'end' },
    )
    for await (const messages of batches) {
      await deserializer.prepare(messages.map(({ value }) => value))
      for (const { value, offset } of messages) {
        const candle = deserializer.deserialize(value)
        if (candle instanceof DecodeFailure) {
          throw new Error(`${topic} [${partition}] at ${offset}: ${candle.message}`)
        }
        tally.add(candle)
      }
    }
  }
  const problems = tally.problems({
    candles: expectedCandles(fill.plan),
    trades: tradesOf(fill.plan),
    volume: fill.volume,
  })
  const rejected = await topicOffsets(connection, topicName('rejected', fill.prefix))
  const all = rejected.some(({ high }) => high > 0)
    ? [...problems, 'records were rejected']
    : problems
  if (all.length > 0) {
    throw new Error(`The aggregator's candles are wrong:\n${all.join('\n')}`)
  }
}
