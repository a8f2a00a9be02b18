import { EventProducer, rejectedHeaders, topicName } from '@tickertape/kafka-avro'
import type { KafkaConnection, OnStatistics } from '@tickertape/kafka-avro'

import type { Reject } from './batch.ts'

export interface RejectLogOptions {
  readonly connection: KafkaConnection
  readonly clientId: string
  readonly topicPrefix: string
  readonly onStatistics?: OnStatistics
}

/** What the sink writes to the topic `rejected`. Its producer opens with the first reject: most never need one. */
export class RejectLog implements AsyncDisposable {
  readonly #options: RejectLogOptions
  readonly #topic: string
  #producer: EventProducer | undefined

  constructor(options: RejectLogOptions) {
    this.#options = options
    this.#topic = topicName('rejected', options.topicPrefix)
  }

  /**
   * Writes rejects as they came, and waits until the broker has acknowledged them, however long it is away.
   *
   * @throws KafkaAvroError `broker_unreachable`, `delivery_failed`; the signal's reason.
   */
  async append(rejects: readonly Reject[], signal: AbortSignal): Promise<void> {
    // What was read from this topic is in it.
    const missing = rejects.filter(({ record }) => record.topic !== this.#topic)
    if (missing.length === 0) return
    this.#producer ??= await EventProducer.open(this.#options)
    for (const { record, reason, message } of missing) {
      const { topic, partition, offset, key, value } = record
      const headers = rejectedHeaders({
        stage: 'pg-sink',
        reason,
        message,
        topic,
        partition,
        offset,
      })
      this.#producer.produce({ topic: this.#topic, partition, key: key ?? null, value, headers })
    }
    await unlessAborted(this.#producer.acknowledged(), signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#producer?.[Symbol.asyncDispose]()
  }
}

async function unlessAborted(done: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const aborted = Promise.withResolvers<never>()
  const abort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort)
  try {
    await Promise.race([done, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
