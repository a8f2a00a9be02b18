import {
  EventProducer,
  Registry,
  Serializer,
  defaultPartitions,
  ensureTopics,
  partitionOf,
  topicName,
  topicOffsets,
} from '@tickertape/kafka-avro'
import type { MessageHeader } from '@tickertape/kafka-avro'
import { addDecimals, instrumentIdOf, zero } from '@tickertape/market-model'
import type { Decimal, MarketEvent } from '@tickertape/market-model'
import type { RunningStack } from '@tickertape/stack'
import { withTraceparent } from '@tickertape/tracing'

import { BenchMarket } from './bench-market.ts'
import { marketEvents, tradesOf } from './fill-plan.ts'
import type { FillPlan } from './fill-plan.ts'

/** A topic market-events that holds a plan's log. */
export interface MarketFill {
  readonly plan: FillPlan
  readonly prefix: string
  readonly topic: string
  /** Sum of the quantities of all trades. */
  readonly volume: Decimal
  /** End offset by partition. */
  readonly ends: ReadonlyMap<number, number>
}

const maxInFlight = 100_000

/**
 * Makes the topics of an installation and writes the plan's log, the same one at every call.
 *
 * @param traceOneIn one trade in so many is sampled; none without it.
 */
export async function fillMarket(
  stack: RunningStack,
  prefix: string,
  plan: FillPlan,
  traceOneIn = Infinity,
): Promise<MarketFill> {
  let volume: Decimal = zero
  let trades = 0
  await using log = await openMarketLog(stack, prefix)
  for (const event of marketEvents(plan, new BenchMarket(plan.instruments))) {
    if (event.type === 'Trade') {
      volume = addDecimals(volume, event.value.quantity)
      trades += 1
    }
    const isSampled = event.type === 'Trade' && trades % traceOneIn === 0
    log.append(event, isSampled ? traceHeader(trades) : undefined)
    if (log.producer.inFlight >= maxInFlight) {
      await log.producer.whenInFlightBelow(maxInFlight / 2)
    }
  }
  await log.producer.acknowledged()
  const offsets = await topicOffsets({ brokers: stack.kafkaBrokers }, log.topic)
  const ends = new Map(offsets.map(({ partition, high }) => [partition, high]))
  const records = [...ends.values()].reduce((sum, end) => sum + end, 0)
  if (records <= tradesOf(plan)) {
    throw new Error(`${log.topic} holds ${records} records, fewer than the trades written to it`)
  }
  return { plan, prefix, topic: log.topic, volume, ends }
}

export interface OpenMarketLog extends AsyncDisposable {
  readonly topic: string
  readonly producer: EventProducer
  /** Queues a record: a heartbeat for every partition, anything else for its instrument's. */
  append(event: MarketEvent, headers?: readonly MessageHeader[]): void
  /** Queues a record for one partition. */
  appendTo(partition: number, event: MarketEvent): void
}

/** Makes the topics of an installation that are missing, and writes to its log as ingest does. */
export async function openMarketLog(stack: RunningStack, prefix: string): Promise<OpenMarketLog> {
  const { kafkaBrokers, registryUrl } = stack
  const connection = { brokers: kafkaBrokers }
  await ensureTopics({ connection, prefix })
  const registry = new Registry({ url: registryUrl }, prefix)
  const serializer = new Serializer('market-events', await registry.register('market-events'))
  const producer = await EventProducer.open({ connection, clientId: `${prefix}bench` })
  const topic = topicName('market-events', prefix)
  const partitions = new Map<string, number>()
  return {
    topic,
    producer,
    append(event, headers = []) {
      const key = keyOf(event)
      const value = serializer.serialize(event)
      if (key === null) {
        for (let partition = 0; partition < defaultPartitions; partition += 1) {
          producer.produce({ topic, partition, key, value, headers })
        }
        return
      }
      let partition = partitions.get(key)
      if (partition === undefined) {
        partition = partitionOf(key, defaultPartitions)
        partitions.set(key, partition)
      }
      producer.produce({ topic, partition, key, value, headers })
    },
    appendTo(partition, event) {
      producer.produce({ topic, partition, key: keyOf(event), value: serializer.serialize(event) })
    },
    [Symbol.asyncDispose]: () => producer[Symbol.asyncDispose](),
  }
}

/** A trace of its own for each number. */
function traceHeader(number: number): readonly MessageHeader[] {
  const digits = number.toString(16)
  return withTraceparent([], {
    traceId: digits.padStart(32, '0'),
    spanId: digits.padStart(16, '0'),
  })
}

function keyOf(event: MarketEvent): string | null {
  if (event.type === 'Trade') return instrumentIdOf(event.value)
  return event.type === 'InstrumentStatus' ? event.value.instrumentId : null
}
