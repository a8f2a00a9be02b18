import {
  DecodeFailure,
  Deserializer,
  Registry,
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
import { TopicTail } from './topic-tail.ts'

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
  await ensureTopics({ connection: { brokers: stack.kafkaBrokers }, prefix })
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
  readonly #tail: TopicTail
  readonly #deserializer: Deserializer<'market-events'>
  readonly #reading: Promise<void>
  #stopped = false

  private constructor(tail: TopicTail, deserializer: Deserializer<'market-events'>) {
    this.#tail = tail
    this.#deserializer = deserializer
    this.#reading = this.#read()
    // Told at the end.
    this.#reading.catch(() => undefined)
  }

  static async open(stack: RunningStack, prefix: string): Promise<TradeArrivals> {
    const tail = await TopicTail.open(stack, topicName('market-events', prefix))
    const registry = new Registry({ url: stack.registryUrl }, prefix)
    return new TradeArrivals(tail, new Deserializer('market-events', registry))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true
    try {
      await this.#reading
    } finally {
      await this.#tail[Symbol.asyncDispose]()
    }
  }

  async #read(): Promise<void> {
    while (!this.#stopped) {
      const messages = await this.#tail.next()
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
