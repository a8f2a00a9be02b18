import { fileURLToPath } from 'node:url'

import {
  EventProducer,
  Registry,
  Serializer,
  committedOffsets,
  ensureTopics,
  readPartition,
  topicName,
} from '@tickertape/kafka-avro'
import type { Message, Topic } from '@tickertape/kafka-avro'
import { ServiceProcess, uniquePrefix, waitUntil } from '@tickertape/testing'
import type { TestStack } from '@tickertape/testing'

import { marketEnvironment } from './reference-market-settings.ts'
import type { MarketRecord } from './reference-market.ts'

export const partitions = 4

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/** Records that a producer may have under way: a broker that is away stops the appending. */
const maxInFlight = 20_000

export interface InstallationOptions {
  readonly stack: Pick<TestStack, 'kafkaBrokers' | 'registryUrl'>
  /** Of each instance, on top of what they share. */
  readonly instances: readonly Readonly<Record<string, string>>[]
}

/** Topics of their own, the log that the test writes, and the instances of one group at work on it. */
export class Installation implements AsyncDisposable {
  readonly #options: InstallationOptions
  readonly #prefix: string
  readonly #serializer: Serializer<'market-events'>
  readonly #producer: EventProducer
  readonly #processes = new Map<number, ServiceProcess>()
  #appended = 0

  private constructor(
    options: InstallationOptions,
    prefix: string,
    serializer: Serializer<'market-events'>,
    producer: EventProducer,
  ) {
    this.#options = options
    this.#prefix = prefix
    this.#serializer = serializer
    this.#producer = producer
  }

  /** Creates the topics; no instance runs yet. */
  static async open(options: InstallationOptions): Promise<Installation> {
    const { kafkaBrokers, registryUrl } = options.stack
    const prefix = uniquePrefix()
    await ensureTopics({ connection: { brokers: kafkaBrokers }, prefix, partitions })
    const registry = new Registry({ url: registryUrl }, prefix)
    const serializer = new Serializer('market-events', await registry.register('market-events'))
    const producer = await EventProducer.open({
      connection: { brokers: kafkaBrokers },
      clientId: prefix,
    })
    return new Installation(options, prefix, serializer, producer)
  }

  get prefix(): string {
    return this.#prefix
  }

  get instances(): readonly number[] {
    return this.#options.instances.map((_, instance) => instance)
  }

  /** Records appended so far, over all partitions. */
  get appended(): number {
    return this.#appended
  }

  startAll(): void {
    for (const instance of this.instances) this.start(instance)
  }

  start(instance: number): void {
    const { kafkaBrokers, registryUrl } = this.#options.stack
    this.#processes.set(
      instance,
      ServiceProcess.start({
        main,
        environment: {
          KAFKA_BROKERS: kafkaBrokers,
          REGISTRY_URL: registryUrl,
          TOPIC_PREFIX: this.#prefix,
          AGGREGATOR_INSTANCE_ID: String(instance),
          AGGREGATOR_ADMIN_PORT: '0',
          ...marketEnvironment,
          ...this.#options.instances[instance],
        },
      }),
    )
  }

  async killAndRestart(instance: number): Promise<void> {
    await this.process(instance).stop('SIGKILL')
    this.start(instance)
  }

  /** @returns the exit codes. */
  async drainAll(): Promise<readonly (number | null)[]> {
    return Promise.all(this.instances.map((instance) => this.process(instance).stop('SIGTERM')))
  }

  process(instance: number): ServiceProcess {
    const process = this.#processes.get(instance)
    if (process === undefined) throw new Error(`Instance ${instance} was not started`)
    return process
  }

  bytesOf({ event }: MarketRecord): Buffer | null {
    if (event.type !== 'Garbage') return this.#serializer.serialize(event)
    const header = Buffer.alloc(5)
    header.writeUInt32BE(
      event.form === 'unknown-schema' ? 2 ** 31 - 7 : this.#serializer.schemaId,
      1,
    )
    const bodies = {
      none: null,
      text: Buffer.from('{"price": 1}'),
      truncated: Buffer.concat([header, Buffer.from([0, 12])]),
      'unknown-schema': Buffer.concat([header, Buffer.from('whatever')]),
    }
    return bodies[event.form]
  }

  /** Resolves when the broker has all of them; their offsets are those that the market says. */
  async append(records: readonly MarketRecord[]): Promise<void> {
    const topic = topicName('market-events', this.#prefix)
    for (const record of records) {
      const { partition, key } = record
      if (this.#producer.inFlight >= maxInFlight) {
        await this.#producer.whenInFlightBelow(maxInFlight / 2)
      }
      this.#producer.produce({ topic, partition, key, value: this.bytesOf(record) })
    }
    await this.#producer.acknowledged()
    this.#appended += records.length
  }

  /**
   * Waits until so many records are done.
   *
   * @throws Error with what the instances wrote, at once if one of them ended by itself.
   */
  async reaches(count: number): Promise<void> {
    const ended = (): boolean => [...this.#processes.values()].some(({ running }) => !running)
    try {
      await waitUntil(
        `${count} records done`,
        async () => ended() || (await this.#done()) >= count,
        {
          withinMs: 180_000,
          everyMs: 400,
        },
      )
    } catch (error) {
      throw new Error(`The instances stand still:\n${this.output}`, { cause: error })
    }
    if (ended()) throw new Error(`An instance ended by itself:\n${this.output}`)
  }

  /** Records behind the group's committed offsets, over all partitions. */
  async #done(): Promise<number> {
    const offsets = await committedOffsets(
      { brokers: this.#options.stack.kafkaBrokers },
      `${this.#prefix}aggregator`,
      topicName('market-events', this.#prefix),
    )
    return [...offsets.values()].reduce((sum, offset) => sum + offset, 0)
  }

  /** All that is committed in a topic, by partition. */
  async read(topic: Topic): Promise<readonly (readonly Message[])[]> {
    const reads = Array.from({ length: partitions }, async (_, partition) => {
      const messages: Message[] = []
      const batches = readPartition(
        {
          connection: { brokers: this.#options.stack.kafkaBrokers },
          clientId: `${this.#prefix}test`,
        },
        { topic: topicName(topic, this.#prefix), partition, from: 'earliest', to: 'end' },
      )
      for await (const batch of batches) {
        for (const message of batch) messages.push(message)
      }
      return messages
    })
    return Promise.all(reads)
  }

  /** The last of what each instance wrote: why a wait was in vain. */
  get output(): string {
    return [...this.#processes]
      .map(([instance, { output }]) => `--- instance ${instance}\n${output.slice(-4_000)}`)
      .join('\n')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#processes.values()].map((process) => process.stop('SIGKILL')))
    await this.#producer[Symbol.asyncDispose]()
  }
}
