import kafka from '@confluentinc/kafka-javascript'
import type { KafkaConsumer, Message } from '@confluentinc/kafka-javascript'

import {
  DecodeFailure,
  Deserializer,
  Registry,
  defaultPartitions,
  topicName,
} from '@tickertape/kafka-avro'
import type { RunningStack } from '@tickertape/stack'

export interface CandleArrival {
  readonly partition: number
  readonly interval: string
  readonly windowEnd: number
  /** By performance.now(). */
  readonly at: number
}

/** Reads the new topic candles of an installation as it is committed, and notes when each comes. */
export class CandleArrivals implements AsyncDisposable {
  readonly #consumer: KafkaConsumer
  readonly #deserializer: Deserializer<'candles'>
  readonly #arrivals: CandleArrival[] = []
  readonly #reading: Promise<void>
  #stopped = false

  private constructor(consumer: KafkaConsumer, deserializer: Deserializer<'candles'>) {
    this.#consumer = consumer
    this.#deserializer = deserializer
    this.#reading = this.#read()
    // Told by the next question for arrivals, or at the end.
    this.#reading.catch(() => undefined)
  }

  static async open(stack: RunningStack, prefix: string): Promise<CandleArrivals> {
    // The package is CommonJS whose names Node cannot see: values come from its default export.
    const consumer = new kafka.KafkaConsumer(
      {
        'bootstrap.servers': stack.kafkaBrokers,
        'group.id': `${prefix}arrivals`,
        'enable.auto.commit': false,
        'isolation.level': 'read_committed',
        // The broker answers as soon as one byte is committed.
        'fetch.min.bytes': 1,
        'fetch.wait.max.ms': 500,
      },
      { 'auto.offset.reset': 'error' },
    )
    await new Promise<void>((resolve, reject) => {
      consumer.connect({ timeout: 30_000 }, (error) => (error ? reject(error) : resolve()))
    })
    const topic = topicName('candles', prefix)
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
    return new CandleArrivals(consumer, new Deserializer('candles', registry))
  }

  /** Candles whose windows end behind `from` and not behind `to`. */
  between(from: number, to: number): readonly CandleArrival[] {
    return this.#arrivals.filter(({ windowEnd }) => windowEnd > from && windowEnd <= to)
  }

  /** @throws Error if the topic could not be read to here. */
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
      const messages = await this.#next()
      const at = performance.now()
      await this.#deserializer.prepare(messages.map(({ value }) => value))
      for (const { value, partition } of messages) {
        const candle = this.#deserializer.deserialize(value)
        if (candle instanceof DecodeFailure) throw new Error(candle.message)
        const { interval, windowEnd } = candle
        this.#arrivals.push({ partition, interval, windowEnd, at })
      }
    }
  }

  #next(): Promise<readonly Message[]> {
    return new Promise((resolve, reject) => {
      // The binding's errors are objects of its own.
      this.#consumer.consume(1_000, (error: unknown, messages: Message[]) =>
        error ? reject(error) : resolve(messages),
      )
    })
  }
}
