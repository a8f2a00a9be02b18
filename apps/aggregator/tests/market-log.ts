import {
  DecodeFailure,
  Deserializer,
  EventProducer,
  Registry,
  Serializer,
  ensureTopics,
  partitionOf,
  readPartition,
  topicName,
} from '@tickertape/kafka-avro'
import type { Message, Topic } from '@tickertape/kafka-avro'
import { noOptionalFacts, instrumentIdOf } from '@tickertape/market-model'
import type { Candle, MarketEvent, Trade } from '@tickertape/market-model'
import { testStack, uniquePrefix } from '@tickertape/testing'

export const partitions = 2

/** One installation's topics with a log that the test writes. */
export interface MarketLog extends AsyncDisposable {
  readonly prefix: string
  /** Settings of a service on this log. */
  readonly environment: Readonly<Record<string, string>>
  /** Appends trades to their partitions, heartbeats to all. */
  append(events: readonly MarketEvent[], header?: Readonly<Record<string, string>>): Promise<void>
  appendBytes(
    partition: number,
    value: Buffer,
    header?: Readonly<Record<string, string>>,
  ): Promise<void>
}

export async function createMarketLog(): Promise<MarketLog> {
  const stack = testStack()
  const prefix = uniquePrefix()
  await ensureTopics({ connection: { brokers: stack.kafkaBrokers }, prefix, partitions })
  const registry = new Registry({ url: stack.registryUrl }, prefix)
  const serializer = new Serializer('market-events', await registry.register('market-events'))
  const producer = await EventProducer.open({
    connection: { brokers: stack.kafkaBrokers },
    clientId: prefix,
  })
  const topic = topicName('market-events', prefix)
  const allPartitions = Array.from({ length: partitions }, (_, partition) => partition)
  return {
    prefix,
    environment: {
      KAFKA_BROKERS: stack.kafkaBrokers,
      REGISTRY_URL: stack.registryUrl,
      TOPIC_PREFIX: prefix,
      AGGREGATOR_ADMIN_PORT: '0',
    },
    append: async (events, header) => {
      const headers = header === undefined ? [] : [header]
      for (const event of events) {
        const value = serializer.serialize(event)
        const key = event.type === 'Trade' ? instrumentIdOf(event.value) : null
        const targets = key === null ? allPartitions : [partitionOf(key, partitions)]
        for (const partition of targets) producer.produce({ topic, partition, key, value, headers })
      }
      await producer.acknowledged()
    },
    appendBytes: async (partition, value, header) => {
      const headers = header === undefined ? [] : [header]
      producer.produce({ topic, partition, key: null, value, headers })
      await producer.acknowledged()
    },
    [Symbol.asyncDispose]: () => producer[Symbol.asyncDispose](),
  }
}

/** Everything in a topic that is committed, by partition. */
export async function readTopic(log: MarketLog, topic: Topic): Promise<readonly Message[][]> {
  const { kafkaBrokers } = testStack()
  const read = Array.from({ length: partitions }, async (_, partition) => {
    const messages: Message[] = []
    const batches = readPartition(
      { connection: { brokers: kafkaBrokers }, clientId: `${log.prefix}test` },
      { topic: topicName(topic, log.prefix), partition, from: 'earliest', to: 'end' },
    )
    for await (const batch of batches) messages.push(...batch)
    return messages
  })
  return Promise.all(read)
}

export async function readRecords<T extends 'candles' | 'market-events'>(
  log: MarketLog,
  topic: T,
): Promise<readonly (T extends 'candles' ? Candle : MarketEvent)[][]> {
  const registry = new Registry({ url: testStack().registryUrl }, log.prefix)
  const deserializer = new Deserializer(topic, registry)
  const byPartition = await readTopic(log, topic)
  await deserializer.prepare(byPartition.flat().map(({ value }) => value))
  return byPartition.map((messages) =>
    messages.map(({ value }) => {
      const record = deserializer.deserialize(value)
      if (record instanceof DecodeFailure) throw new Error(record.message)
      // The deserializer is that of the topic.
      return record as T extends 'candles' ? Candle : MarketEvent
    }),
  )
}

const base = Date.UTC(2026, 0, 5)

export const instruments = [
  'BTC-PERPETUAL',
  'ETH-PERPETUAL',
  'SOL_USDC-PERPETUAL',
  'XRP_USDC-PERPETUAL',
]

/** A trade of the test's venue; time in ms after its beginning. */
export function trade(
  sequence: number,
  afterMs: number,
  changes: Partial<Trade> = {},
): MarketEvent {
  const eventTime = base + afterMs
  return {
    type: 'Trade',
    value: {
      venue: 'deribit',
      feedId: 'deribit',
      instrument: 'BTC-PERPETUAL',
      tradeId: `t${sequence}`,
      version: 0,
      status: 'confirmed',
      sequence,
      venueOrder: null,
      price: { mantissa: 50_000 + ((sequence * 7919) % 997), exponent: 0 },
      quantity: { mantissa: 1 + (sequence % 5), exponent: -1 },
      notionalUsd: null,
      takerSide: sequence % 2 === 0 ? 'buy' : 'sell',
      eventTime,
      receivedAt: eventTime + 20,
      ...noOptionalFacts,
      ...changes,
    },
  }
}

export function heartbeat(afterMs: number): MarketEvent {
  const upTo = base + afterMs
  return {
    type: 'FeedHeartbeat',
    value: { feedId: 'deribit', replicaId: 'a', upTo, receivedAt: upTo + 20 },
  }
}

/**
 * A stretch of a market: trades of all instruments, a few out of order within a heartbeat, and a
 * heartbeat each half second.
 */
export function stretch(fromMs: number, toMs: number, tradesPerSecond: number): MarketEvent[] {
  const events: MarketEvent[] = []
  const stepMs = 1_000 / tradesPerSecond
  for (let at = fromMs; at < toMs; at += 500) {
    const group: MarketEvent[] = []
    for (let within = at; within < at + 500; within += stepMs) {
      const number = Math.round(within / stepMs)
      const instrument = instruments[number % instruments.length] ?? ''
      group.push(
        trade(Math.floor(number / instruments.length) + 1, Math.floor(within), { instrument }),
      )
    }
    // Every seventh trade comes before the one ahead of it.
    for (let i = 7; i < group.length; i += 7) {
      const [a, b] = [group[i - 1], group[i]]
      if (a !== undefined && b !== undefined) group.splice(i - 1, 2, b, a)
    }
    events.push(...group, heartbeat(at + 500))
  }
  return events
}
