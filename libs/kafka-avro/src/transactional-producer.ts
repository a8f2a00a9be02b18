import type {
  LibrdKafkaError,
  Producer as ProducerClient,
  TopicPartitionOffset,
} from '@confluentinc/kafka-javascript'

import { statisticsSettings, tellStatistics } from './client-statistics.ts'
import type { OnStatistics } from './client-statistics.ts'
import {
  call,
  codeOf,
  connect,
  connectionSettings,
  disconnect,
  maxRecordBytes,
  queueFull,
} from './connection.ts'
import { KafkaAvroError, messageOf } from './errors.ts'
import type { OutgoingRecord } from './event-producer.ts'
import type { KafkaConnection } from './kafka-connection.ts'
import type { LogReader } from './log-reader.ts'
import { CODES, Producer } from './librdkafka.ts'

export interface TransactionalProducerOptions {
  readonly connection: KafkaConnection
  readonly clientId: string
  /**
   * Equal over restarts of one instance: opening it aborts what a killed predecessor left open, which
   * readers would otherwise wait for until the transaction times out.
   */
  readonly transactionalId: string
  /** Told of the client every few seconds. */
  readonly onStatistics?: OnStatistics | undefined
}

type Step = 'begin' | 'produce' | 'send offsets' | 'commit' | 'abort'

const timeoutMs = 30_000

/** A transaction's life on librdkafka. Any failure is final: abort, throw the state away, start anew. */
export class TransactionalProducer implements AsyncDisposable {
  readonly #client: ProducerClient
  #open = false

  private constructor(client: ProducerClient) {
    this.#client = client
  }

  /**
   * @throws KafkaAvroError `broker_unreachable`; `transactions_refused` if the broker answers that there
   *   will be none, for want of a permission mostly: trying again does not help.
   */
  static async open(options: TransactionalProducerOptions): Promise<TransactionalProducer> {
    const client = new Producer({
      ...connectionSettings(options.connection, options.clientId),
      'transactional.id': options.transactionalId,
      'transaction.timeout.ms': timeoutMs,
      'compression.type': 'lz4',
      'message.max.bytes': maxRecordBytes,
      // A commit flushes what it has: waiting for more would only delay it.
      'linger.ms': 1,
      // A transaction that begins while the broker still finishes the one before it is told to come again:
      // at the default of 100 ms it took 105 ms more.
      'retry.backoff.ms': 5,
      'queue.buffering.max.messages': 1_000_000,
      ...statisticsSettings(options.onStatistics),
    })
    tellStatistics(client, options.onStatistics)
    await connect(client, options.connection)
    // For errors alone. A commit serves delivery reports itself: with a thread in the background that takes
    // them away it notices the last one up to 10 ms later.
    client.setPollInterval(1_000)
    try {
      await call<void>((done) =>
        client.initTransactions(timeoutMs, (error) => done(error, undefined)),
      )
    } catch (error) {
      await disconnect(client)
      throw openFailure(options, error)
    }
    return new TransactionalProducer(client)
  }

  /** @throws KafkaAvroError `transaction_failed`, as every method here. */
  async begin(): Promise<void> {
    await this.#step('begin', (done) => this.#client.beginTransaction(done))
    this.#open = true
  }

  /**
   * Queues a record of the open transaction, without waiting: what a commit of many records calls first,
   * for a promise for each would cost it more than the rest of its loop.
   *
   * @returns false if the local queue is full: `produce` waits for it.
   */
  tryProduce(record: OutgoingRecord): boolean {
    try {
      this.#client.produce(
        record.topic,
        record.partition,
        record.value,
        record.key,
        null,
        undefined,
        record.headers === undefined ? undefined : [...record.headers],
      )
      return true
    } catch (error) {
      if (codeOf(error) === queueFull) return false
      throw stepFailure('produce', error)
    }
  }

  /** Queues a record of the open transaction, waiting while the local queue is full. */
  async produce(record: OutgoingRecord): Promise<void> {
    while (!this.tryProduce(record)) await new Promise((resolve) => setTimeout(resolve, 5))
  }

  /** @param positions the next offsets to read, not the last ones read. */
  async sendOffsets(
    positions: readonly TopicPartitionOffset[],
    reader: Pick<LogReader, 'consumer'>,
  ): Promise<void> {
    await this.#step('send offsets', (done) =>
      this.#client.sendOffsetsToTransaction([...positions], reader.consumer, timeoutMs, done),
    )
  }

  /**
   * Commits what is open.
   *
   * @throws KafkaAvroError `transaction_failed`: the broker may have committed it all the same. The group's
   *   committed offsets tell.
   */
  async commit(): Promise<void> {
    await this.#step('commit', (done) => this.#client.commitTransaction(timeoutMs, done))
    this.#open = false
  }

  /** Aborts what is open: readers would wait for it until it times out. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#open) {
      await this.#step('abort', (done) => this.#client.abortTransaction(5_000, done)).catch(
        () => undefined,
      )
    }
    await call((done) => this.#client.disconnect(5_000, done)).catch(() => undefined)
  }

  async #step(name: Step, run: (done: (error?: unknown) => void) => void): Promise<void> {
    try {
      await new Promise<void>((resolve, reject) => {
        run((error) => (error ? reject(error) : resolve()))
      })
    } catch (error) {
      throw stepFailure(name, error)
    }
  }
}

/** What a failed start of transactions means to whoever opens the producer. */
export function openFailure(
  { connection, transactionalId }: TransactionalProducerOptions,
  error: unknown,
): KafkaAvroError {
  // The binding rejects with LibrdKafkaError.
  const { code, isFatal } = error as LibrdKafkaError
  const isForbidden =
    code === CODES.ERRORS.ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED ||
    code === CODES.ERRORS.ERR_CLUSTER_AUTHORIZATION_FAILED
  const why = messageOf(error)
  if (isForbidden) {
    return new KafkaAvroError(
      'transactions_refused',
      `Kafka at ${connection.brokers} does not let this principal use the transactional id ${transactionalId} (${why}): allow it to write and describe that id`,
      { cause: error },
    )
  }
  if (isFatal === true) {
    return new KafkaAvroError(
      'transactions_refused',
      `Kafka at ${connection.brokers} refuses transactions to the transactional id ${transactionalId} for good (${why}): check the broker's version and its settings of transactions`,
      { cause: error },
    )
  }
  return new KafkaAvroError(
    'broker_unreachable',
    `Could not start transactions at ${connection.brokers} (${why}): is Kafka running?`,
    { cause: error },
  )
}

/** What a failed step of a transaction means: of all of them only a commit may have counted. */
export function stepFailure(step: Step, error: unknown): KafkaAvroError {
  const outcome =
    step === 'commit'
      ? 'whether it counts is not known; the next session finds out by the committed offsets'
      : 'nothing of it counts; state must be restored before going on'
  return new KafkaAvroError(
    'transaction_failed',
    `The transaction's ${step} failed (${messageOf(error)}): ${outcome}`,
    { cause: error },
  )
}
