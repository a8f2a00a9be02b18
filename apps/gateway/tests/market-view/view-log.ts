import { fileURLToPath } from 'node:url'

import {
  EventProducer,
  Registry,
  Serializer,
  TransactionalProducer,
  ensureTopics,
  partitionOf,
  topicName,
} from '@tickertape/kafka-avro'
import type { OutgoingRecord, Topic } from '@tickertape/kafka-avro'
import { instrumentIdOf } from '@tickertape/market-model'
import type { Candle, MarketEvent } from '@tickertape/market-model'
import { Database, migrate } from '@tickertape/market-store'
import { Readiness, Registry as Metrics, createLogger } from '@tickertape/service-runtime'
import { ServiceProcess, testDatabase, testStack, uniquePrefix } from '@tickertape/testing'

import { createMarketViewEvents } from '../../src/market-view/events.ts'
import type { MemoryLimits } from '../../src/market-view/market-memory.ts'
import { openMarketView } from '../../src/market-view/open-market-view.ts'
import type { OpenMarketView } from '../../src/market-view/open-market-view.ts'

export const partitions = 2

const sinkMain = fileURLToPath(new URL('../../../pg-sink/src/main.ts', import.meta.url))

const limits: MemoryLimits = {
  candles: 50,
  trades: 50,
  tradeIdentities: 1_000,
  candleTextBytes: 5_000,
  backlog: { updates: 10_000, bytes: 8_000_000 },
  futureToleranceMs: 5_000,
}

export interface OpeningView {
  readonly readiness: Readiness
  readonly metrics: Metrics
  readonly opened: Promise<OpenMarketView>
}

/** Topics and a database of the test's own, the sink between them, and views of both. */
export interface ViewLog extends AsyncDisposable {
  readonly prefix: string
  readonly database: Database
  topic(topic: Topic): string
  /** Appends records to their partitions, those without a key to all. */
  appendEvents(events: readonly MarketEvent[]): Promise<void>
  /** In one transaction, as the aggregator does. */
  appendCandles(candles: readonly Candle[]): Promise<void>
  appendOpenCandles(candles: readonly Candle[]): Promise<void>
  append(record: OutgoingRecord): Promise<void>
  startSink(): ServiceProcess
  /** @param signal ends the opening. */
  open(changes?: Partial<MemoryLimits>, signal?: AbortSignal): OpeningView
}

export async function createViewLog(migrated = true): Promise<ViewLog> {
  const { kafkaBrokers, registryUrl, databaseUrl } = testStack()
  const connection = { brokers: kafkaBrokers }
  const prefix = uniquePrefix()
  const created = await testDatabase(databaseUrl)
  if (migrated) await migrate(created.url)
  await ensureTopics({ connection, prefix, partitions })
  const registry = new Registry({ url: registryUrl }, prefix)
  const events = new Serializer('market-events', await registry.register('market-events'))
  const closed = new Serializer('candles', await registry.register('candles'))
  const open = new Serializer('candles-live', await registry.register('candles-live'))
  const producer = await EventProducer.open({ connection, clientId: prefix, lingerMs: 0 })
  const transactions = await TransactionalProducer.open({
    connection,
    clientId: prefix,
    transactionalId: prefix,
  })
  const database = new Database(created.url, { applicationName: 'test', maxConnections: 12 })
  const topic = (name: Topic): string => topicName(name, prefix)
  return {
    prefix,
    database,
    topic,
    appendEvents: async (list) => {
      for (const event of list) {
        const key = keyOf(event)
        const value = events.serialize(event)
        const targets =
          key === null ? [...Array(partitions).keys()] : [partitionOf(key, partitions)]
        for (const partition of targets) {
          producer.produce({ topic: topic('market-events'), partition, key, value })
        }
      }
      await producer.acknowledged()
    },
    appendCandles: async (list) => {
      await transactions.begin()
      for (const candle of list) {
        const key = candle.instrumentId
        const partition = partitionOf(key, partitions)
        const value = closed.serialize(candle)
        await transactions.produce({ topic: topic('candles'), partition, key, value })
      }
      await transactions.commit()
    },
    appendOpenCandles: async (list) => {
      for (const candle of list) {
        const key = candle.instrumentId
        const partition = partitionOf(key, partitions)
        const value = open.serialize(candle)
        producer.produce({ topic: topic('candles-live'), partition, key, value })
      }
      await producer.acknowledged()
    },
    append: async (record) => {
      producer.produce(record)
      await producer.acknowledged()
    },
    startSink: () =>
      ServiceProcess.start({
        main: sinkMain,
        environment: {
          KAFKA_BROKERS: connection.brokers,
          REGISTRY_URL: registryUrl,
          TOPIC_PREFIX: prefix,
          DATABASE_URL: created.url,
          PG_SINK_ADMIN_PORT: '0',
        },
      }),
    open: (changes = {}, signal = new AbortController().signal) => {
      const readiness = new Readiness()
      const metrics = new Metrics()
      const logger = createLogger({ service: 'test', level: 'silent' })
      const opened = openMarketView(
        {
          kafka: { connection, topicPrefix: prefix },
          registry: new Registry({ url: registryUrl }, prefix),
          database,
          limits: { ...limits, ...changes },
        },
        createMarketViewEvents({ logger, metrics, readiness }),
        signal,
      )
      return { readiness, metrics, opened }
    },
    [Symbol.asyncDispose]: async () => {
      await producer[Symbol.asyncDispose]()
      await transactions[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
      await created[Symbol.asyncDispose]()
    },
  }
}

/** Records without a key go to every partition. */
function keyOf({ type, value }: MarketEvent): string | null {
  if (type === 'Trade') return instrumentIdOf(value)
  return type === 'SequenceGap' || type === 'InstrumentStatus' ? value.instrumentId : null
}
