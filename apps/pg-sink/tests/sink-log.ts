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
import type { KafkaConnection, OutgoingRecord, Topic } from '@tickertape/kafka-avro'
import { noOptionalFacts, formatDecimal, instrumentIdOf } from '@tickertape/market-model'
import type { Candle, InstrumentStatus, MarketEvent, Trade } from '@tickertape/market-model'
import { Database, migrate } from '@tickertape/market-store'
import { ServiceProcess, testDatabase, testStack, uniquePrefix } from '@tickertape/testing'
import type { TestStack } from '@tickertape/testing'

export const partitions = 2

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const redriveMain = fileURLToPath(new URL('../src/redrive-main.ts', import.meta.url))

/** Topics and a database of the test's own, and sinks between them. */
export interface SinkLog extends AsyncDisposable {
  readonly prefix: string
  readonly connection: KafkaConnection
  readonly registryUrl: string
  readonly database: Database
  readonly databaseUrl: string
  topic(topic: Topic): string
  /** Appends records to their partitions, those without a key to all, and waits for the broker. */
  appendEvents(events: readonly MarketEvent[], headers?: OutgoingRecord['headers']): Promise<void>
  /** As the aggregator does: in one transaction, which takes an offset of each partition besides. */
  appendCandles(candles: readonly Candle[]): Promise<void>
  /** Candles of a transaction that is aborted: they take offsets, and nobody may see them. */
  abortCandles(candles: readonly Candle[]): Promise<void>
  append(record: OutgoingRecord): Promise<void>
  startSink(settings?: Readonly<Record<string, string>>): ServiceProcess
  startRedrive(args: readonly string[], settings?: Readonly<Record<string, string>>): ServiceProcess
}

export interface SinkLogOptions {
  /** The stack that all tests share unless given. */
  readonly stack?: TestStack
  /** Whether the tables are there before the first sink starts; they are unless given. */
  readonly migrated?: boolean
}

export async function createSinkLog(options: SinkLogOptions = {}): Promise<SinkLog> {
  const { stack = testStack(), migrated = true } = options
  const { kafkaBrokers, registryUrl } = stack
  const connection = { brokers: kafkaBrokers }
  const prefix = uniquePrefix()
  const created = await testDatabase(stack.databaseUrl)
  if (migrated) await migrate(created.url)
  await ensureTopics({ connection, prefix, partitions })
  const registry = new Registry({ url: registryUrl }, prefix)
  const events = new Serializer('market-events', await registry.register('market-events'))
  const candles = new Serializer('candles', await registry.register('candles'))
  const producer = await EventProducer.open({ connection, clientId: prefix })
  const database = new Database(created.url, { applicationName: 'test', maxConnections: 4 })
  const topic = (name: Topic): string => topicName(name, prefix)
  const produceCandles = async (list: readonly Candle[]): Promise<TransactionalProducer> => {
    const transactions = await TransactionalProducer.open({
      connection,
      clientId: prefix,
      transactionalId: `${prefix}candles`,
    })
    try {
      await transactions.begin()
      for (const candle of list) {
        const key = candle.instrumentId
        const partition = partitionOf(key, partitions)
        const value = candles.serialize(candle)
        await transactions.produce({ topic: topic('candles'), partition, key, value })
      }
      return transactions
    } catch (error) {
      await transactions[Symbol.asyncDispose]()
      throw error
    }
  }
  const environment = {
    KAFKA_BROKERS: connection.brokers,
    REGISTRY_URL: registryUrl,
    TOPIC_PREFIX: prefix,
    DATABASE_URL: created.url,
  }
  return {
    prefix,
    connection,
    registryUrl,
    database,
    databaseUrl: created.url,
    topic,
    appendEvents: async (list, headers = []) => {
      for (const event of list) {
        const value = events.serialize(event)
        const key = keyOf(event)
        const targets =
          key === null ? [...Array(partitions).keys()] : [partitionOf(key, partitions)]
        for (const partition of targets) {
          producer.produce({ topic: topic('market-events'), partition, key, value, headers })
        }
        await producer.whenInFlightBelow(100_000)
      }
      await producer.acknowledged()
    },
    appendCandles: async (list) => {
      await using transactions = await produceCandles(list)
      await transactions.commit()
    },
    abortCandles: async (list) => {
      const transactions = await produceCandles(list)
      // What is open is aborted.
      await transactions[Symbol.asyncDispose]()
    },
    append: async (record) => {
      producer.produce(record)
      await producer.acknowledged()
    },
    startSink: (settings = {}) =>
      ServiceProcess.start({
        main,
        environment: { ...environment, PG_SINK_ADMIN_PORT: '0', ...settings },
      }),
    startRedrive: (args, settings = {}) =>
      ServiceProcess.start({
        main: redriveMain,
        arguments: args,
        environment: { ...environment, ...settings },
      }),
    [Symbol.asyncDispose]: async () => {
      await producer[Symbol.asyncDispose]()
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

export const base = Date.UTC(2026, 0, 5)

export const instruments = ['BTC-PERPETUAL', 'ETH-PERPETUAL', 'SOL_USDC-PERPETUAL']

/** A trade of a test's market; the number names it within its instrument. */
export function trade(number: number, changes: Partial<Trade> = {}): MarketEvent {
  const eventTime = base + number * 10
  return {
    type: 'Trade',
    value: {
      venue: 'deribit',
      feedId: 'deribit',
      instrument: 'BTC-PERPETUAL',
      tradeId: `t${number}`,
      version: 0,
      status: 'confirmed',
      sequence: number,
      venueOrder: null,
      price: { mantissa: 50_000 + ((number * 7919) % 997), exponent: -1 },
      quantity: { mantissa: 1 + (number % 5), exponent: -3 },
      notionalUsd: null,
      takerSide: number % 2 === 0 ? 'buy' : 'sell',
      eventTime,
      receivedAt: eventTime + 20,
      ...noOptionalFacts,
      ...changes,
    },
  }
}

const one = { mantissa: 1, exponent: 0 }

/** A closed candle of a second. */
export function candle(changes: Partial<Candle> = {}): Candle {
  return {
    instrumentId: 'deribit:BTC-PERPETUAL',
    interval: '1s',
    windowStart: base,
    windowEnd: base + 1_000,
    open: one,
    high: one,
    low: one,
    close: one,
    volume: one,
    buyVolume: one,
    quoteVolume: one,
    notionalUsd: null,
    vwap: { mantissa: 123_456_789_012_345_678n, exponent: -18 },
    tradeCount: 1,
    indicators: { 'close:span=12': 0.1 },
    quality: 'complete',
    revision: 0,
    final: true,
    firstSequence: 1,
    lastSequence: null,
    rebuildId: null,
    ...changes,
  }
}

export function instrumentStatus(changes: Partial<InstrumentStatus> = {}): MarketEvent {
  return {
    type: 'InstrumentStatus',
    value: {
      instrumentId: 'deribit:BTC-PERPETUAL',
      feedId: 'deribit',
      status: 'listed',
      eventTime: base,
      receivedAt: base,
      base: 'BTC',
      quote: 'USD',
      kind: 'perpetual',
      quantityUnit: 'quote',
      ...changes,
    },
  }
}

export function heartbeat(upTo: number, receivedAt = upTo): MarketEvent {
  return { type: 'FeedHeartbeat', value: { feedId: 'deribit', replicaId: 'a', upTo, receivedAt } }
}

/** Trades of all instruments in turn; every tenth comes a second time, with another price. */
export function trades(from: number, to: number): MarketEvent[] {
  const events: MarketEvent[] = []
  for (let number = from; number < to; number += 1) {
    const instrument = instruments[number % instruments.length] ?? ''
    events.push(trade(number, { instrument }))
    if (number % 10 === 0) {
      events.push(trade(number, { instrument, price: { mantissa: 1, exponent: 0 } }))
    }
  }
  return events
}

/** First in a transaction that holds a lock while other things happen: it may last longer than a service's. */
export const patiently = 'set local idle_in_transaction_session_timeout = 0'

/** Rows of `trades` as text, for comparing. */
export async function storedTrades(database: Pick<Database, 'query'>): Promise<readonly string[]> {
  const { rows } = await database.query<{ trade: string }>(
    `select concat_ws(' ', instrument, trade_id, price, source_partition, source_offset) as trade
      from trades order by source_partition, source_offset`,
  )
  return rows.map(({ trade: text }) => text)
}

/** The same of a log that began empty: the first record of each identity, below each partition's bound. */
export function expectedTrades(
  events: readonly MarketEvent[],
  bound: (partition: number) => number,
): readonly string[] {
  const offsets = Array.from({ length: partitions }, () => 0)
  const known = new Set<string>()
  const expected: { text: string; partition: number; offset: number }[] = []
  for (const { type, value } of events) {
    if (type !== 'Trade') throw new Error('a log of trades alone')
    const partition = partitionOf(instrumentIdOf(value), partitions)
    const offset = offsets[partition] ?? 0
    offsets[partition] = offset + 1
    const identity = `${value.instrument} ${value.tradeId} ${value.version}`
    if (known.has(identity)) continue
    known.add(identity)
    if (offset >= bound(partition)) continue
    const price = formatDecimal(value.price)
    const text = `${value.instrument} ${value.tradeId} ${price} ${partition} ${offset}`
    expected.push({ text, partition, offset })
  }
  return expected
    .toSorted((a, b) => a.partition - b.partition || a.offset - b.offset)
    .map(({ text }) => text)
}
