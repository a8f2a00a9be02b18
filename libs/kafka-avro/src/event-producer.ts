import type {
  DeliveryReport,
  LibrdKafkaError,
  MessageHeader,
  Producer as ProducerClient,
} from '@confluentinc/kafka-javascript'

import { statisticsSettings, tellStatistics } from './client-statistics.ts'
import type { OnStatistics } from './client-statistics.ts'
import {
  call,
  codeOf,
  connect,
  connectionSettings,
  maxRecordBytes,
  queueFull,
} from './connection.ts'
import { KafkaAvroError } from './errors.ts'
import type { KafkaConnection } from './kafka-connection.ts'
import { Producer } from './librdkafka.ts'

export interface OutgoingRecord {
  readonly topic: string
  readonly partition: number
  readonly key: Buffer | string | null
  readonly value: Buffer | null
  readonly headers?: readonly MessageHeader[]
}

/** What became of a record: its offset, or why it is not in the log. */
export type Delivered = { readonly offset: number } | { readonly error: KafkaAvroError }

export interface EventProducerOptions {
  readonly connection: KafkaConnection
  readonly clientId: string
  /** How long records wait to share a request, in ms. */
  readonly lingerMs?: number
  /** Told of the client every few seconds. */
  readonly onStatistics?: OnStatistics | undefined
}

interface Waiter {
  readonly reached: () => boolean
  readonly resolve: () => void
  readonly reject: (error: KafkaAvroError) => void
}

/**
 * An idempotent producer: records of a partition arrive once and in order, through any outage of the
 * broker, which it waits out. The caller bounds what is in flight with `whenInFlightBelow`.
 */
export class EventProducer implements AsyncDisposable {
  readonly #client: ProducerClient
  readonly #failure = Promise.withResolvers<never>()
  /** Records handed over so far; each is known by its number. */
  #produced = 0
  /** Every record below this number is acknowledged. */
  #acknowledged = 0
  readonly #acknowledgedAhead = new Set<number>()
  /** Of the few records whose delivery somebody wants to hear of, by their number. */
  readonly #listeners = new Map<number, (delivered: Delivered) => void>()
  /** Each holds its own promise: racing the one failure would leave a reaction there for ever. */
  #waiting: readonly Waiter[] = []
  #failed: KafkaAvroError | undefined

  private constructor(client: ProducerClient) {
    this.#client = client
    // Nobody has to listen: the next call of the producer's owner fails as well.
    this.#failure.promise.catch(() => undefined)
    client.on('delivery-report', (error, report) => this.#onDelivery(error, report))
    client.on('event.error', (error) => {
      // Everything but a fatal error (a fenced or broken idempotent session) is retried inside.
      if (error.isFatal) this.#fail(error.message)
    })
  }

  /** @throws KafkaAvroError `broker_unreachable`. */
  static async open(options: EventProducerOptions): Promise<EventProducer> {
    const client = new Producer({
      ...connectionSettings(options.connection, options.clientId),
      'enable.idempotence': true,
      'compression.type': 'lz4',
      'message.max.bytes': maxRecordBytes,
      'linger.ms': options.lingerMs ?? 5,
      // 0 is "no limit": a broker that is away is waited for; the caller's bound stops the inflow.
      'message.timeout.ms': 0,
      'queue.buffering.max.messages': 500_000,
      dr_cb: true,
      ...statisticsSettings(options.onStatistics),
    })
    tellStatistics(client, options.onStatistics)
    await connect(client, options.connection)
    client.setPollInBackground(true)
    return new EventProducer(client)
  }

  /** Rejects when the producer can no longer deliver: the process must start anew. */
  get failed(): Promise<never> {
    return this.#failure.promise
  }

  get inFlight(): number {
    return this.#produced - this.#acknowledged
  }

  /**
   * Queues a record; records of one partition keep their order.
   *
   * @param onDelivered told once what became of it; not if the producer is closed before.
   * @throws KafkaAvroError `delivery_failed` if the local queue is full: the caller did not wait.
   */
  produce(record: OutgoingRecord, onDelivered?: (delivered: Delivered) => void): void {
    const number = this.#produced
    try {
      this.#client.produce(
        record.topic,
        record.partition,
        record.value,
        record.key,
        null,
        number,
        record.headers === undefined ? undefined : [...record.headers],
      )
    } catch (error) {
      if (codeOf(error) !== queueFull) throw error
      throw new KafkaAvroError(
        'delivery_failed',
        `The producer's queue is full with ${this.inFlight} records: wait for whenInFlightBelow before producing on`,
        { cause: error },
      )
    }
    if (onDelivered !== undefined) this.#listeners.set(number, onDelivered)
    this.#produced += 1
  }

  /** Resolves when everything produced before this call is acknowledged by the broker. */
  acknowledged(): Promise<void> {
    const target = this.#produced
    return this.#when(() => this.#acknowledged >= target)
  }

  whenInFlightBelow(limit: number): Promise<void> {
    return this.#when(() => this.inFlight < limit)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A broker that is away must not keep the process from ending: what is unacknowledged then is
    // behind no cursor and will be fetched again.
    await call<void>((done) => this.#client.flush(5_000, (error) => done(error, undefined))).catch(
      () => undefined,
    )
    await call((done) => this.#client.disconnect(5_000, done)).catch(() => undefined)
  }

  #when(reached: () => boolean): Promise<void> {
    if (this.#failed !== undefined) return Promise.reject(this.#failed)
    if (reached()) return Promise.resolve()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#waiting = [...this.#waiting, { reached, resolve, reject }]
    return promise
  }

  #onDelivery(error: LibrdKafkaError | null | undefined, report: DeliveryReport): void {
    if (error) {
      this.#fail(`${report.topic} [${report.partition}]: ${error.message}`)
      return
    }
    // The opaque is the number that `produce` gave.
    const number = report.opaque as number
    this.#acknowledgedAhead.add(number)
    if (this.#listeners.size > 0) this.#tell(number, { offset: report.offset })
    while (this.#acknowledgedAhead.delete(this.#acknowledged)) this.#acknowledged += 1
    const done = this.#waiting.filter(({ reached }) => reached())
    if (done.length === 0) return
    this.#waiting = this.#waiting.filter((waiter) => !done.includes(waiter))
    for (const { resolve } of done) resolve()
  }

  #tell(number: number, delivered: Delivered): void {
    const listener = this.#listeners.get(number)
    this.#listeners.delete(number)
    listener?.(delivered)
  }

  #fail(reason: string): void {
    const error = new KafkaAvroError(
      'delivery_failed',
      `Kafka did not take a record: ${reason}. The process must start again from its last acknowledged position`,
    )
    this.#failed ??= error
    this.#failure.reject(this.#failed)
    for (const { reject } of this.#waiting) reject(this.#failed)
    this.#waiting = []
    for (const number of this.#listeners.keys()) this.#tell(number, { error })
  }
}
