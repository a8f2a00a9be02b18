import type {
  LibrdKafkaError,
  Message,
  TopicPartition,
  TopicPartitionOffset,
} from '@confluentinc/kafka-javascript'

import { call, consumeWhatIsThere } from './connection.ts'
import { GroupMembership } from './group-membership.ts'
import type { Reading } from './group-membership.ts'
import { CODES } from './librdkafka.ts'
import type { LogReader, LogReaderOptions, PartitionHandlers } from './log-reader.ts'

/** The reader whose bytes librdkafka brings too: of any topic, read committed. */
export class GroupReader implements LogReader {
  readonly #options: LogReaderOptions
  readonly #membership: GroupMembership

  constructor(options: LogReaderOptions) {
    this.#options = options
    this.#membership = new GroupMembership(options, {
      'queued.min.messages': 50_000,
      'queued.max.messages.kbytes': 32_768,
      'fetch.wait.max.ms': 100,
    })
    consumeWhatIsThere(this.consumer, options.maxWaitMs ?? 50)
  }

  get consumer(): LogReader['consumer'] {
    return this.#membership.consumer
  }

  get assignment(): readonly TopicPartition[] {
    return this.#membership.assignment
  }

  committed(partitions: readonly TopicPartition[]): ReturnType<LogReader['committed']> {
    return this.#membership.committed(partitions)
  }

  lastKnownEnd(topic: string, partition: number): number | undefined {
    try {
      const { highOffset } = this.consumer.getWatermarkOffsets(topic, partition)
      return highOffset < 0 ? undefined : highOffset
    } catch {
      // The client says so by an exception before its first fetch and after its end.
      return undefined
    }
  }

  readUpTo(topic: string, partition: number): number | undefined {
    try {
      const [position] = this.consumer.position([{ topic, partition }])
      return position?.offset !== undefined && position.offset >= 0 ? position.offset : undefined
    } catch {
      // As `lastKnownEnd`.
      return undefined
    }
  }

  /** librdkafka's statistics tell of it. */
  readonly fetchQueue = undefined

  commitForMonitoring(positions: readonly TopicPartitionOffset[]): void {
    this.consumer.commit([...positions])
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.consumer.pause([...partitions])
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.consumer.resume([...partitions])
  }

  async run(handlers: PartitionHandlers<Message>, signal: AbortSignal): Promise<void> {
    const reading: Reading = {
      begin: (positions) => {
        this.consumer.assign([...positions])
        return Promise.resolve()
      },
      end: () => undefined,
    }
    try {
      await this.#membership.join()
      while (!signal.aborted) {
        const rebalanced = await this.#membership.applyRebalance(handlers, reading)
        if (!rebalanced) await handlers.process(await this.#read())
      }
      await this.#membership.release(handlers, reading)
    } finally {
      await this.#membership.close()
    }
  }

  async #read(): Promise<readonly Message[]> {
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
        throw this.#membership.failure('offset_out_of_range', error)
      }
      this.#options.onWarning(message)
      return []
    }
  }
}
