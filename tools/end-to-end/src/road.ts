import { fileURLToPath } from 'node:url'

import { ensureTopics } from '@tickertape/kafka-avro'
import type { Venue } from '@tickertape/market-simulator'
import { ServiceProcess, testDatabase, uniquePrefix } from '@tickertape/testing'
import type { TestStack } from '@tickertape/testing'

export const roadServices = ['pg-sink', 'aggregator', 'ingest'] as const

export type RoadService = (typeof roadServices)[number]

export interface RoadOptions {
  readonly stack: TestStack
  readonly venue: Venue
  readonly instruments: readonly string[]
  /** Addresses of the venue, or of its simulator. */
  readonly wsUrl: string
  readonly restUrl: string
  readonly settings?: Readonly<Record<string, string>>
}

/** The whole road from a venue to PostgreSQL, with topics and a database of its own. */
export class Road implements AsyncDisposable {
  readonly topicPrefix: string
  readonly databaseUrl: string
  readonly #environment: Readonly<Record<string, string>>
  readonly #processes = new Map<RoadService, ServiceProcess>()
  readonly #cleanup: AsyncDisposableStack

  private constructor(
    topicPrefix: string,
    databaseUrl: string,
    environment: Readonly<Record<string, string>>,
    cleanup: AsyncDisposableStack,
  ) {
    this.topicPrefix = topicPrefix
    this.databaseUrl = databaseUrl
    this.#environment = environment
    this.#cleanup = cleanup
  }

  /** Creates topics and database and starts every service. */
  static async open(options: RoadOptions): Promise<Road> {
    await using building = new AsyncDisposableStack()
    const topicPrefix = uniquePrefix()
    await ensureTopics({ connection: { brokers: options.stack.kafkaBrokers }, prefix: topicPrefix })
    const database = building.use(await testDatabase(options.stack.databaseUrl))
    const environment = {
      KAFKA_BROKERS: options.stack.kafkaBrokers,
      REGISTRY_URL: options.stack.registryUrl,
      DATABASE_URL: database.url,
      TOPIC_PREFIX: topicPrefix,
      INGEST_VENUE: options.venue,
      INGEST_INSTRUMENTS: options.instruments.join(','),
      INGEST_WS_URL: options.wsUrl,
      INGEST_REST_URL: options.restUrl,
      INGEST_ADMIN_PORT: '0',
      AGGREGATOR_ADMIN_PORT: '0',
      PG_SINK_ADMIN_PORT: '0',
      ...options.settings,
    }
    const road = new Road(topicPrefix, database.url, environment, building.move())
    for (const service of roadServices) road.start(service)
    return road
  }

  process(service: RoadService): ServiceProcess {
    const process = this.#processes.get(service)
    if (process === undefined) throw new Error(`${service} was not started`)
    return process
  }

  start(service: RoadService): void {
    const main = fileURLToPath(new URL(`../../../apps/${service}/src/main.ts`, import.meta.url))
    this.#processes.set(service, ServiceProcess.start({ main, environment: this.#environment }))
  }

  /** SIGKILL, and a new process at once. */
  async killAndRestart(service: RoadService): Promise<void> {
    await this.process(service).stop('SIGKILL')
    this.start(service)
  }

  /** The last of what each service wrote: why a wait was in vain. */
  get output(): string {
    return [...this.#processes]
      .map(([service, { output }]) => `--- ${service}\n${output.slice(-6_000)}`)
      .join('\n')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#processes.values()].map((process) => process.stop('SIGKILL')))
    await this.#cleanup[Symbol.asyncDispose]()
  }
}
