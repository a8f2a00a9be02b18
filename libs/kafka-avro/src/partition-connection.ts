import { fetchV13, listOffsetsV7, metadataV12, protocolErrorsCodesById } from '@platformatic/kafka'
import type { Connection, Reader } from '@platformatic/kafka'

import { kafkaAccessFailure } from './access-failure.ts'
import { brokerAddresses, openBrokerConnection } from './broker-connection.ts'
import type { BrokerConnectionOptions } from './broker-connection.ts'
import { KafkaAvroError, messageOf } from './errors.ts'
import type { AbortedTransaction, LogSource } from './record-batch.ts'

export type PartitionConnectionOptions = BrokerConnectionOptions

export interface FetchRequest {
  readonly offset: number
  /** How long the broker holds the answer back while it has nothing, in ms. */
  readonly maxWaitMs: number
  /** Most bytes of an answer; a single batch that is larger comes whole. */
  readonly maxBytes: number
}

export interface FetchedBytes {
  /** Record batches; the last one may be cut off. */
  readonly batches: Buffer
  /** The partition's end, open transactions included. */
  readonly end: number
  /** Where its first open transaction begins; its end without one. */
  readonly stableEnd: number
  /** Which transactions in it do not count. */
  readonly aborted: readonly AbortedTransaction[]
}

interface Leader {
  readonly host: string
  readonly port: number
  readonly topicId: string
}

/** Beyond the wait that is asked for, in ms, a broker that is silent counts as gone. */
const timeouts = { requestTimeout: 15_000, connectTimeout: 5_000 } as const
const isolation = { uncommitted: 0, committed: 1 } as const
/** What ListOffsets takes for a time. */
const listed = { begin: -2n, end: -1n } as const
const anyReplica = -1
const noSession = { id: 0, epoch: -1 } as const
const noError = 0
const offsetOutOfRange = 1

/**
 * Fetches one partition's bytes from its leader, without a group: the requests are the pure-JS client's,
 * its consumer is left out. A connection serves one request after the other, and a fetch that waits for
 * new records would hold up the next, so each partition has its own.
 *
 * Topics are asked for by id (Kafka 3.1 and newer), so that one made anew under the same name is no
 * continuation.
 */
export class PartitionConnection implements AsyncDisposable {
  readonly #options: PartitionConnectionOptions
  readonly #source: LogSource
  #topicId: string | undefined
  #connection: Connection | undefined
  #leader: Leader | undefined
  #closed = false

  constructor(options: PartitionConnectionOptions, source: LogSource) {
    this.#options = options
    this.#source = source
  }

  /**
   * One fetch: nothing of transactions that are still open.
   *
   * @throws KafkaAvroError `offset_out_of_range`, which is final; `reading_failed` or `access_refused`, after which
   *   the next call connects anew, to whoever leads the partition then.
   */
  async fetch(request: FetchRequest): Promise<FetchedBytes> {
    return await this.#ask(`fetch from offset ${request.offset}`, async (connection, topicId) => {
      const answer = await this.#send(connection, topicId, request)
      if (answer.error === offsetOutOfRange) {
        throw this.#outOfRange(`offset ${request.offset} is not in the log`)
      }
      if (answer.error !== noError) throw new Error(errorName(answer.error))
      return answer
    })
  }

  /**
   * The first offset that is kept, or the end, open transactions included.
   *
   * @throws KafkaAvroError `reading_failed`, `access_refused`.
   */
  async offset(where: keyof typeof listed): Promise<number> {
    return await this.#ask(`find the ${where}`, async (connection) => {
      const { topic, partition } = this.#source
      const wanted = {
        partitionIndex: partition,
        currentLeaderEpoch: -1,
        timestamp: listed[where],
      }
      const answer = await listOffsetsV7.api.async(connection, anyReplica, isolation.uncommitted, [
        { name: topic, partitions: [wanted] },
      ])
      const found = answer.topics[0]?.partitions[0]
      if (found === undefined) throw new Error('the answer is empty')
      if (found.errorCode !== noError) throw new Error(errorName(found.errorCode))
      return Number(found.offset)
    })
  }

  async #ask<T>(
    what: string,
    request: (connection: Connection, topicId: string) => Promise<T>,
  ): Promise<T> {
    try {
      this.#leader ??= await this.#findLeader()
      this.#connection ??= await this.#open(this.#leader.host, this.#leader.port)
      return await request(this.#connection, this.#leader.topicId)
    } catch (error) {
      await this.#drop()
      if (error instanceof KafkaAvroError) throw error
      const refused = kafkaAccessFailure(this.#options.connection, error)
      if (refused !== undefined) throw refused
      throw new KafkaAvroError(
        'reading_failed',
        `Could not ${what} of ${this.#name} (${rootMessage(error)}): is its broker running?`,
        { cause: error },
      )
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    await this.#drop()
  }

  async #drop(): Promise<void> {
    const connection = this.#connection
    this.#connection = undefined
    this.#leader = undefined
    // A fetch that waits at the broker fails at once by this.
    await connection?.close().catch(() => undefined)
  }

  async #findLeader(): Promise<Leader> {
    const { topic, partition } = this.#source
    const failures: unknown[] = []
    for (const { host, port } of brokerAddresses(this.#options.connection.brokers)) {
      try {
        const metadata = await this.#describe(host, port)
        const described = metadata.topics.find(({ name }) => name === topic)
        const leaderId = described?.partitions.find(
          ({ partitionIndex }) => partitionIndex === partition,
        )?.leaderId
        const leader = metadata.brokers.find(({ nodeId }) => nodeId === leaderId)
        if (described === undefined || leader === undefined) throw new Error('it has no leader now')
        return this.#checked({ ...leader, topicId: described.topicId })
      } catch (error) {
        if (error instanceof KafkaAvroError) throw error
        failures.push(error)
      }
    }
    throw failures[0] ?? new Error('no broker is configured')
  }

  async #describe(host: string, port: number): Promise<metadataV12.MetadataResponse> {
    const connection = await this.#open(host, port)
    try {
      return await metadataV12.api.async(connection, [this.#source.topic], false, false)
    } finally {
      await connection.close()
    }
  }

  #checked(leader: Leader): Leader {
    this.#topicId ??= leader.topicId
    if (this.#topicId === leader.topicId) return leader
    throw this.#outOfRange('the topic was made anew while it was read')
  }

  async #open(host: string, port: number): Promise<Connection> {
    const connection = await openBrokerConnection(this.#options, timeouts, host, port)
    if (!this.#closed) return connection
    await connection.close()
    throw new Error('the reader was closed')
  }

  #send(connection: Connection, topicId: string, request: FetchRequest): Promise<FetchAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<FetchAnswer>()
    const partition = {
      partition: this.#source.partition,
      currentLeaderEpoch: -1,
      fetchOffset: BigInt(request.offset),
      lastFetchedEpoch: -1,
      partitionMaxBytes: request.maxBytes,
    }
    connection.send(
      fetchV13.api.key,
      fetchV13.api.version,
      () =>
        fetchV13.createRequest(
          request.maxWaitMs,
          1,
          request.maxBytes,
          isolation.committed,
          noSession.id,
          noSession.epoch,
          [{ topicId, partitions: [partition] }],
          [],
          '',
        ),
      parseAnswer,
      true,
      true,
      (error: Error | null, answer?: FetchAnswer) => {
        if (answer === undefined) reject(error ?? new Error('no answer came'))
        else resolve(answer)
      },
    )
    return promise
  }

  #outOfRange(reason: string): KafkaAvroError {
    return new KafkaAvroError(
      'offset_out_of_range',
      `Cannot read on in ${this.#name}: ${reason}. It lost records that were not read yet: by retention, or because it was made anew`,
    )
  }

  get #name(): string {
    return `${this.#source.topic} [${this.#source.partition}]`
  }
}

interface FetchAnswer extends FetchedBytes {
  readonly error: number
}

/**
 * Reads the answer to a fetch of one partition up to its records, of which it makes one Buffer.
 *
 * Fetch Response, version 13: throttle_time_ms, error_code, session_id, [topic_id, [partition, error_code,
 * high_watermark, last_stable_offset, log_start_offset, [aborted_transactions], preferred_read_replica,
 * records]]; a compact array or byte string is preceded by its length and one.
 */
function parseAnswer(_correlation: number, _key: number, _version: number, reader: Reader) {
  reader.skip(4)
  const requestError = reader.readInt16()
  reader.skip(4)
  const nothing: FetchAnswer = {
    error: requestError,
    end: 0,
    stableEnd: 0,
    batches: noBytes,
    aborted: [],
  }
  if (requestError !== noError || reader.readUnsignedVarInt() <= 1) return nothing
  // topic_id
  reader.skip(16)
  if (reader.readUnsignedVarInt() <= 1) return nothing
  reader.skip(4)
  const error = reader.readInt16()
  const end = Number(reader.readInt64())
  const stableEnd = Number(reader.readInt64())
  reader.skip(8)
  const abortedCount = reader.readUnsignedVarInt() - 1
  const aborted: AbortedTransaction[] = []
  for (let number = 0; number < abortedCount; number += 1) {
    const producerId = reader.readInt64()
    aborted.push({ producerId, firstOffset: Number(reader.readInt64()) })
    reader.readTaggedFields()
  }
  reader.skip(4)
  const length = reader.readUnsignedVarInt() - 1
  const batches =
    length > 0 ? reader.buffer.slice(reader.position, reader.position + length) : noBytes
  return { error, end, stableEnd, batches, aborted } satisfies FetchAnswer
}

const noBytes = Buffer.alloc(0)

function errorName(code: number): string {
  return protocolErrorsCodesById[code] ?? `error ${code} of the broker`
}

/** The client wraps the socket's error. */
function rootMessage(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error && cause.message !== '' ? cause.message : messageOf(error)
}
