import { DecodeFailure, Deserializer, Registry, topicName } from '@tickertape/kafka-avro'
import type { RunningStack } from '@tickertape/stack'

import { TopicTail } from './topic-tail.ts'

export interface CandleArrival {
  readonly partition: number
  readonly interval: string
  readonly windowEnd: number
  /** By performance.now(). */
  readonly at: number
}

/** Reads the new topic candles of an installation as it is committed, and notes when each comes. */
export class CandleArrivals implements AsyncDisposable {
  readonly #tail: TopicTail
  readonly #deserializer: Deserializer<'candles'>
  readonly #arrivals: CandleArrival[] = []
  readonly #reading: Promise<void>
  #stopped = false

  private constructor(tail: TopicTail, deserializer: Deserializer<'candles'>) {
    this.#tail = tail
    this.#deserializer = deserializer
    this.#reading = this.#read()
    // Told by the next question for arrivals, or at the end.
    this.#reading.catch(() => undefined)
  }

  static async open(stack: RunningStack, prefix: string): Promise<CandleArrivals> {
    const tail = await TopicTail.open(stack, topicName('candles', prefix))
    const registry = new Registry({ url: stack.registryUrl }, prefix)
    return new CandleArrivals(tail, new Deserializer('candles', registry))
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
      await this.#tail[Symbol.asyncDispose]()
    }
  }

  async #read(): Promise<void> {
    while (!this.#stopped) {
      const messages = await this.#tail.next()
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
}
