import kafka from '@confluentinc/kafka-javascript'
import type { KafkaConsumer, Message } from '@confluentinc/kafka-javascript'

import {
  DecodeFailure,
  Deserializer,
  Registry,
  defaultPartitions,
  ensureTopics,
  topicName,
} from '@tickertape/kafka-avro'
import type { RunningStack } from '@tickertape/stack'
import { waitUntil } from '@tickertape/testing'

import { numberOf } from './binance-frames.ts'
import { BinanceServer } from './binance-server.ts'
import { startIngest } from './ingest-process.ts'
import type { IngestOptions } from './ingest-process.ts'
import { percentile } from './percentile.ts'

const tradesPerSecond = 1_000
/** Trades of the first seconds are left out: code that runs for the first time is compiled then. */
const warmUpTrades = 10_000
const measuredTrades = 30_000

export interface FrameToAck {
  readonly p50Ms: number
  readonly p99Ms: number
}

/**
 * Sends trades one by one at an even pace, and measures for each the time from the write of its frame to the
 * socket to its arrival at a reader of the log: a little more than to the broker's acknowledgement, which comes
 * before. One process writes and reads, so both moments are of one clock.
 */
export async function measureFrameToAck(
  options: Omit<IngestOptions, 'server'>,
): Promise<FrameToAck> {
  const { stack, prefix } = options
  await ensureTopics({ brokers: stack.kafkaBrokers, prefix })
  await using server = await BinanceServer.start()
  await using ingest = startIngest({ ...options, server })
  await ingest.joined()
  await using arrivals = await TradeArrivals.open(stack, prefix)
  const sentAt = new Map<number, number>()
  const began = performance.now()
  for (let count = 0; count < warmUpTrades + measuredTrades;) {
    const due = Math.floor(((performance.now() - began) * tradesPerSecond) / 1_000)
    for (; count < due && count < warmUpTrades + measuredTrades; count += 1) {
      sentAt.set(server.sendOne(), performance.now())
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await waitUntil('the last trade', () => arrivals.at.size >= sentAt.size, { withinMs: 30_000 })
  await ingest.stop()
  const latencies = [...sentAt].slice(warmUpTrades).map(([number, sent]) => {
    const arrived = arrivals.at.get(number)
    if (arrived === undefined) throw new Error(`Trade ${number} is not in the log`)
    return arrived - sent
  })
  return { p50Ms: percentile(latencies, 0.5), p99Ms: percentile(latencies, 0.99) }
}

/** Reads market-events of a new installation as they are written, and notes when each trade comes. */
class TradeArrivals implements AsyncDisposable {
  /** By number, by performance.now(). */
  readonly at = new Map<number, number>()
  readonly #consumer: KafkaConsumer
  readonly #deserializer: Deserializer<'market-events'>
  readonly #reading: Promise<void>
  #stopped = false

  private constructor(consumer: KafkaConsumer, deserializer: Deserializer<'market-events'>) {
    this.#consumer = consumer
    this.#deserializer = deserializer
    this.#reading = this.#read()
    // Told at the end.
    this.#reading.catch(() => undefined)
  }

  static async open(stack: RunningStack, prefix: string): Promise<TradeArrivals> {
    // The package is CommonJS whose names Node cannot see: values come from its default export.
    const consumer = new kafka.KafkaConsumer(
      {
        'bootstrap.servers': stack.kafkaBrokers,
        'group.id': `${prefix}arrivals`,
        'enable.auto.commit': false,
        // The broker answers as soon as there is one byte.
        'fetch.min.bytes': 1,
        'fetch.wait.max.ms': 500,
      },
      { 'auto.offset.reset': 'error' },
    )
    await new Promise<void>((resolve, reject) => {
      consumer.connect({ timeout: 30_000 }, (error) => (error ? reject(error) : resolve()))
    })
    const topic = topicName('market-events', prefix)
    consumer.assign(
      Array.from({ length: defaultPartitions }, (_, partition) => ({
        topic,
        partition,
        offset: 0,
      })),
    )
    consumer.setDefaultConsumeTimeout(100)
    // Without this a read goes on collecting for as long as records trickle in. The method is not in
    // the package's types.
    const untyped = consumer as unknown as {
      setDefaultIsTimeoutOnlyForFirstMessage(only: boolean): void
    }
    untyped.setDefaultIsTimeoutOnlyForFirstMessage(true)
    const registry = new Registry(stack.registryUrl, prefix)
    return new TradeArrivals(consumer, new Deserializer('market-events', registry))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true
    try {
      await this.#reading
    } finally {
      await new Promise<void>((resolve) => this.#consumer.disconnect(() => resolve()))
    }
  }

  async #read(): Promise<void> {
    while (!this.#stopped) {
      const messages = await new Promise<readonly Message[]>((resolve, reject) => {
        // The binding's errors are objects of its own.
        this.#consumer.consume(1_000, (error: unknown, read: Message[]) =>
          error ? reject(error) : resolve(read),
        )
      })
      const now = performance.now()
      await this.#deserializer.prepare(messages.map(({ value }) => value))
      for (const { value } of messages) {
        const event = this.#deserializer.deserialize(value)
        if (event instanceof DecodeFailure) throw new Error(event.message)
        if (event.type !== 'Trade') continue
        const { instrument, sequence } = event.value
        if (sequence !== null) this.at.set(numberOf(instrument, sequence), now)
      }
    }
  }
}
