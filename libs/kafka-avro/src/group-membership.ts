import type {
  KafkaConsumer as ConsumerClient,
  LibrdKafkaError,
  TopicPartition,
  TopicPartitionOffset,
} from '@confluentinc/kafka-javascript'

import { statisticsSettings, tellStatistics } from './client-statistics.ts'
import {
  call,
  connectAllowed,
  connectionSettings,
  haltOutOfRange,
  requireAccess,
} from './connection.ts'
import { KafkaAvroError, messageOf } from './errors.ts'
import { CODES, KafkaConsumer } from './librdkafka.ts'
import type { LogReaderOptions, PartitionHandlers } from './log-reader.ts'

interface Rebalance {
  readonly kind: 'assign' | 'revoke'
  readonly partitions: readonly TopicPartition[]
  readonly lost: boolean
}

/** What a reader does around the handlers of a rebalance. */
export interface Reading {
  begin(positions: readonly TopicPartitionOffset[]): Promise<void>
  /** Nothing of the partitions is delivered after it. */
  end(): void
}

/**
 * One membership in a consumer group, by librdkafka. Rebalances wait here until the reader's loop comes
 * for them, so that no handler runs while another does.
 */
export class GroupMembership {
  readonly consumer: ConsumerClient
  readonly #options: LogReaderOptions
  readonly #rebalances: Rebalance[] = []
  #assignment: readonly TopicPartition[] = []
  /** A rebalance has been taken and is not answered yet. */
  #applying = false
  #closing = false
  #hasBegun = false
  #fatal: LibrdKafkaError | undefined
  #onEvent: () => void = () => undefined

  /** @param fetching librdkafka's settings of fetching. */
  constructor(options: LogReaderOptions, fetching: Readonly<Record<string, number>>) {
    this.#options = options
    this.consumer = new KafkaConsumer(
      {
        ...connectionSettings(options.connection, options.clientId),
        'group.id': options.groupId,
        'enable.auto.commit': false,
        // librdkafka asks for stable offsets only when it reads committed.
        'isolation.level': 'read_committed',
        'session.timeout.ms': 6_000,
        'heartbeat.interval.ms': 1_000,
        'partition.assignment.strategy': 'range',
        ...fetching,
        ...statisticsSettings(options.onStatistics),
        rebalance_cb: (error: LibrdKafkaError, partitions: TopicPartition[]) =>
          this.#onRebalance(error, partitions),
      },
      haltOutOfRange,
    )
    tellStatistics(this.consumer, options.onStatistics)
    this.consumer.on('event.error', (error) => {
      if (error.isFatal) this.#fatal = error
      else options.onWarning(error.message)
      this.#onEvent()
    })
  }

  get assignment(): readonly TopicPartition[] {
    return this.#assignment
  }

  get rebalancePending(): boolean {
    return this.#rebalances.length > 0
  }

  /** Called when a rebalance or a fatal error has come. */
  onEvent(listener: () => void): void {
    this.#onEvent = listener
  }

  async join(): Promise<void> {
    await requireAccess(this.#options.connection)
    this.#hasBegun = true
    await connectAllowed(this.consumer, this.#options.connection)
    this.consumer.subscribe([...this.#options.topics])
  }

  async committed(
    partitions: readonly TopicPartition[],
  ): Promise<readonly { partition: number; topic: string; offset: number | undefined }[]> {
    const answer = await call<TopicPartitionOffset[]>((done) =>
      this.consumer.committed([...partitions], 30_000, done),
    ).catch((error: unknown) => {
      throw this.failure('reading_failed', error)
    })
    return answer.map(({ topic, partition, offset }) => ({
      topic,
      partition,
      // The binding leaves the offset out, or negative, where there is none.
      offset: typeof offset === 'number' && offset >= 0 ? offset : undefined,
    }))
  }

  /** Handles the next rebalance, if there is one. @returns whether there was. */
  async applyRebalance(handlers: PartitionHandlers, reading: Reading): Promise<boolean> {
    if (this.#fatal) throw this.failure('reading_failed', this.#fatal)
    const rebalance = this.#rebalances.shift()
    if (rebalance === undefined) return false
    this.#applying = true
    if (rebalance.kind === 'revoke') {
      this.#assignment = []
      reading.end()
      await handlers.revoked(rebalance.partitions, rebalance.lost)
      this.consumer.unassign()
      this.#applying = false
      return true
    }
    const positions = await handlers.assigned(rebalance.partitions)
    this.#assignment = rebalance.partitions
    await reading.begin(positions)
    this.#applying = false
    return true
  }

  /** Lets go of what is owned, as at a revoke. */
  async release(handlers: PartitionHandlers, reading: Reading): Promise<void> {
    reading.end()
    if (this.#assignment.length > 0) await handlers.revoked(this.#assignment, false)
  }

  async close(): Promise<void> {
    this.#closing = true
    // The binding crashes where a client is closed that has not begun.
    if (!this.#hasBegun) return
    // A rebalance that nobody will handle, or whose handler failed, keeps disconnect waiting for ever.
    if (this.#applying || this.#rebalances.length > 0) this.consumer.unassign()
    await call((done) => this.consumer.disconnect(done)).catch((error: unknown) =>
      this.#options.onWarning(messageOf(error)),
    )
  }

  failure(code: 'reading_failed' | 'offset_out_of_range', error: unknown): KafkaAvroError {
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
    this.#onEvent()
  }
}
