import {
  Registry,
  Serializer,
  TransactionalProducer,
  defaultPartitions,
  ensureTopics,
  partitionOf,
  topicName,
  topicOffsets,
} from '@tickertape/kafka-avro'
import { instrumentIdOf } from '@tickertape/market-model'
import type { MarketEvent } from '@tickertape/market-model'
import type { RunningStack } from '@tickertape/stack'

import { openMarketLog } from './market-fill.ts'
import { candlesOf } from './sink-market.ts'
import type { CandlePlan } from './sink-market.ts'
import { CandleTotals, TradeTotals } from './sink-totals.ts'
import type { Totals } from './sink-totals.ts'

/** A topic that the sink is to write into an empty or a filled table. */
export interface SinkFill {
  readonly prefix: string
  readonly topic: string
  readonly table: 'trades' | 'candles'
  /** Rows that come of it. */
  readonly rows: number
  /** What these rows add up to. */
  readonly totals: Totals
  /** By partition, the offset behind the last record. */
  readonly ends: ReadonlyMap<number, number>
}

const maxInFlight = 100_000

/** Candles of one transaction: what the aggregator writes while it catches up. */
const candlesInTransaction = 5_000

/** Makes the topics of an installation and writes events; of a trade that comes again the first counts. */
export async function fillTrades(
  stack: RunningStack,
  prefix: string,
  events: Iterable<MarketEvent>,
): Promise<SinkFill> {
  await using log = await openMarketLog(stack, prefix)
  const positions = new LogPositions()
  const known = new Set<string>()
  const totals = new TradeTotals()
  for (const event of events) {
    const position = positions.append(event)
    if (event.type === 'Trade' && position !== undefined && !known.has(event.value.tradeId)) {
      // The bench's market numbers trades over all instruments.
      known.add(event.value.tradeId)
      totals.add(event.value, position)
    }
    log.append(event)
    if (log.producer.inFlight >= maxInFlight) {
      await log.producer.whenInFlightBelow(maxInFlight / 2)
    }
  }
  await log.producer.acknowledged()
  const ends = await endsOf(stack, log.topic)
  positions.requireEnds(ends)
  const filled = { prefix, topic: log.topic, table: 'trades', ends } as const
  return { ...filled, rows: known.size, totals: totals.totals }
}

/** Makes the topics of an installation and writes a revision of candles, in transactions. */
export async function fillCandles(
  stack: RunningStack,
  prefix: string,
  plan: CandlePlan,
  revision: number,
): Promise<SinkFill> {
  const { kafkaBrokers, registryUrl } = stack
  const connection = { brokers: kafkaBrokers }
  await ensureTopics({ connection, prefix })
  const topic = topicName('candles', prefix)
  const registry = new Registry({ url: registryUrl }, prefix)
  const serializer = new Serializer('candles', await registry.register('candles'))
  const clientId = `${prefix}bench`
  await using producer = await TransactionalProducer.open({
    connection,
    clientId,
    transactionalId: clientId,
  })
  const totals = new CandleTotals()
  let rows = 0
  for (const candle of candlesOf(plan, revision)) {
    if (rows % candlesInTransaction === 0) {
      if (rows > 0) await producer.commit()
      await producer.begin()
    }
    rows += 1
    totals.add(candle)
    const key = candle.instrumentId
    const partition = partitionOf(key, defaultPartitions)
    const record = { topic, partition, key, value: serializer.serialize(candle) }
    if (!producer.tryProduce(record)) await producer.produce(record)
  }
  await producer.commit()
  const ends = await endsOf(stack, topic)
  // The last transaction has candles of every partition, so each ends with its marker, which is no record.
  const lastRecords = new Map([...ends].map(([partition, end]) => [partition, end - 1]))
  return { prefix, topic, table: 'candles', rows, totals: totals.totals, ends: lastRecords }
}

async function endsOf(stack: RunningStack, topic: string): Promise<ReadonlyMap<number, number>> {
  const offsets = await topicOffsets({ brokers: stack.kafkaBrokers }, topic)
  return new Map(offsets.map(({ partition, high }) => [partition, high]))
}

/** Where records of a new topic come to stand, as `openMarketLog` appends them. */
class LogPositions {
  readonly #ends = Array.from({ length: defaultPartitions }, () => 0)
  readonly #partitions = new Map<string, number>()

  /** @returns undefined for a record of every partition. */
  append(event: MarketEvent): { readonly partition: number; readonly offset: number } | undefined {
    if (event.type !== 'Trade' && event.type !== 'InstrumentStatus') {
      for (const [partition, end] of this.#ends.entries()) this.#ends[partition] = end + 1
      return undefined
    }
    const key = event.type === 'Trade' ? instrumentIdOf(event.value) : event.value.instrumentId
    const partition = this.#partitions.get(key) ?? partitionOf(key, defaultPartitions)
    this.#partitions.set(key, partition)
    const offset = this.#ends[partition] ?? 0
    this.#ends[partition] = offset + 1
    return { partition, offset }
  }

  /** @throws Error if the topic is not what was appended to it. */
  requireEnds(ends: ReadonlyMap<number, number>): void {
    for (const [partition, end] of this.#ends.entries()) {
      if (ends.get(partition) !== end) {
        throw new Error(`Partition ${partition} ends at ${ends.get(partition)}, not at ${end}`)
      }
    }
  }
}
