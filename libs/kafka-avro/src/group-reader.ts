import type {
  KafkaConsumer as ConsumerClient,
  LibrdKafkaError,
  Message,
  TopicPartition,
  TopicPartitionOffset,
} from '@confluentinc/kafka-javascript'

import { call, connect, connectionSettings, haltOutOfRange } from './connection.ts'
import { KafkaAvroError, messageOf } from './errors.ts'
import { CODES, KafkaConsumer } from './librdkafka.ts'

export interface GroupReaderOptions {
  readonly brokers: string
  readonly clientId: string
  readonly groupId: string
  readonly topics: readonly string[]
  /** Most records in one call of `process`. */
  readonly maxBatch?: number
  /** How long a read waits for a first record, in ms. */
  readonly maxWaitMs?: number
  readonly onWarning: (message: string) => void
}

/** What a service does with its partitions. No two of these run at the same time. */
export interface PartitionHandlers {
  /** Takes partitions over. @returns where to read on: the next offset of each. */
  assigned(partitions: readonly TopicPartition[]): Promise<readonly TopicPartitionOffset[]>
  /**
   * Lets partitions go; what is in hand must be finished or thrown away when it returns.
   *
   * @param lost they may have another owner already: nothing can be committed any more.
   */
  revoked(partitions: readonly TopicPartition[], lost: boolean): Promise<void>
  /** Records in order within each partition. An empty batch when none came within the wait. */
  process(messages: readonly Message[]): Promise<void>
}

interface Rebalance {
  readonly kind: 'assign' | 'revoke'
  readonly partitions: readonly TopicPartition[]
  readonly lost: boolean
}

/**
 * Reads topics as a member of a consumer group, read committed. librdkafka owns the membership;
 * positions are the caller's: it says on assignment where to read on, and nothing else moves them. An
 * offset that the broker no longer has halts with an error instead of skipping.
 */
export class GroupReader {
  readonly consumer: ConsumerClient
  readonly #options: GroupReaderOptions
  readonly #rebalances: Rebalance[] = []
  #assignment: readonly TopicPartition[] = []
  #closing = false
  #fatal: LibrdKafkaError | undefined

  constructor(options: GroupReaderOptions) {
    this.#options = options
    this.consumer = new KafkaConsumer(
      {
        ...connectionSettings(options.brokers, options.clientId),
        'group.id': options.groupId,
        'enable.auto.commit': false,
        // librdkafka asks for stable offsets only when it reads committed.
        'isolation.level': 'read_committed',
        'session.timeout.ms': 6_000,
        'heartbeat.interval.ms': 1_000,
        'partition.assignment.strategy': 'range',
        'queued.min.messages': 50_000,
        'queued.max.messages.kbytes': 32_768,
        'fetch.wait.max.ms': 100,
        rebalance_cb: (error: LibrdKafkaError, partitions: TopicPartition[]) =>
          this.#onRebalance(error, partitions),
      },
      haltOutOfRange,
    )
    this.consumer.setDefaultConsumeTimeout(options.maxWaitMs ?? 50)
    // Without this a read goes on collecting for as long as records trickle in. The method is not in
    // the package's types.
    const untyped = this.consumer as unknown as {
      setDefaultIsTimeoutOnlyForFirstMessage(only: boolean): void
    }
    untyped.setDefaultIsTimeoutOnlyForFirstMessage(true)
    this.consumer.on('event.error', (error) => {
      if (error.isFatal) this.#fatal = error
      else options.onWarning(error.message)
    })
  }

  /** Partitions that this reader owns now. */
  get assignment(): readonly TopicPartition[] {
    return this.#assignment
  }

  /**
   * The group's committed offsets, waiting for open transactions to end.
   *
   * @returns for each partition the next offset to read; undefined where none was ever committed.
   * @throws KafkaAvroError `reading_failed`.
   */
  async committed(
    partitions: readonly TopicPartition[],
  ): Promise<readonly { partition: number; topic: string; offset: number | undefined }[]> {
    const answer = await call<TopicPartitionOffset[]>((done) =>
      this.consumer.committed([...partitions], 30_000, done),
    ).catch((error: unknown) => {
      throw this.#failure('reading_failed', error)
    })
    return answer.map(({ topic, partition, offset }) => ({
      topic,
      partition,
      // The binding leaves the offset out, or negative, where there is none.
      offset: typeof offset === 'number' && offset >= 0 ? offset : undefined,
    }))
  }

  /** A partition's end as the last fetch told it: no request is made. Undefined if there was none. */
  lastKnownEnd(topic: string, partition: number): number | undefined {
    try {
      const { highOffset } = this.consumer.getWatermarkOffsets(topic, partition)
      return highOffset < 0 ? undefined : highOffset
    } catch {
      // The client says so by an exception before its first fetch and after its end.
      return undefined
    }
  }

  /** Offsets for lag monitoring; nothing reads on from them. */
  commitForMonitoring(positions: readonly TopicPartitionOffset[]): void {
    this.consumer.commit([...positions])
  }

  /**
   * Reads until the signal, then lets go of its partitions and leaves the group.
   *
   * @throws KafkaAvroError `broker_unreachable`, `reading_failed`, `offset_out_of_range`, and what a handler threw: the state in memory is not to be
   *   trusted then.
   */
  async run(handlers: PartitionHandlers, signal: AbortSignal): Promise<void> {
    await connect(this.consumer, this.#options.brokers)
    try {
      this.consumer.subscribe([...this.#options.topics])
      while (!signal.aborted) {
        const rebalance = this.#rebalances.shift()
        if (rebalance === undefined) await handlers.process(await this.#read())
        else await this.#apply(rebalance, handlers)
      }
      if (this.#assignment.length > 0) await handlers.revoked(this.#assignment, false)
    } finally {
      await this.#close()
    }
  }

  async #read(): Promise<readonly Message[]> {
    if (this.#fatal) throw this.#failure('reading_failed', this.#fatal)
    try {
      return await call<Message[]>((done) =>
        this.consumer.consume(this.#options.maxBatch ?? 5_000, done),
      )
    } catch (error) {
      // The binding rejects with LibrdKafkaError.
      const { code, message } = error as LibrdKafkaError
      if (
        code === CODES.ERRORS.ERR__AUTO_OFFSET_RESET ||
        code === CODES.ERRORS.ERR_OFFSET_OUT_OF_RANGE
      ) {
        throw this.#failure('offset_out_of_range', error)
      }
      this.#options.onWarning(message)
      return []
    }
  }

  async #apply(rebalance: Rebalance, handlers: PartitionHandlers): Promise<void> {
    if (rebalance.kind === 'revoke') {
      this.#assignment = []
      await handlers.revoked(rebalance.partitions, rebalance.lost)
      this.consumer.unassign()
      return
    }
    const positions = await handlers.assigned(rebalance.partitions)
    this.#assignment = rebalance.partitions
    this.consumer.assign([...positions])
  }

  /** Exceptions here would be logged and the default assignment made: nothing in it can throw. */
  #onRebalance(error: LibrdKafkaError | undefined, partitions: TopicPartition[]): void {
    if (this.#closing) {
      this.consumer.unassign()
      return
    }
    const kind = error?.code === CODES.ERRORS.ERR__ASSIGN_PARTITIONS ? 'assign' : 'revoke'
    const untyped = this.consumer as unknown as { assignmentLost(): boolean }
    const lost = kind === 'revoke' && untyped.assignmentLost()
    this.#rebalances.push({ kind, partitions, lost })
  }

  async #close(): Promise<void> {
    this.#closing = true
    // A rebalance that nobody will handle keeps disconnect waiting for ever.
    if (this.#rebalances.length > 0) this.consumer.unassign()
    await call((done) => this.consumer.disconnect(done)).catch((error: unknown) =>
      this.#options.onWarning(messageOf(error)),
    )
  }

  #failure(code: 'reading_failed' | 'offset_out_of_range', error: unknown): KafkaAvroError {
    const why =
      code === 'offset_out_of_range'
        ? '. The topic lost records that were not read yet: by retention, or because it was made anew'
        : ''
    return new KafkaAvroError(
      code,
      `Group ${this.#options.groupId} cannot read on in ${this.#options.topics.join(', ')}: ${messageOf(error)}${why}`,
      { cause: error },
    )
  }
}
