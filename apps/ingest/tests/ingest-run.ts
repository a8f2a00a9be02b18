import { fileURLToPath } from 'node:url'

import { defaultPartitions, ensureTopics } from '@tickertape/kafka-avro'
import type { LogRecord } from '@tickertape/kafka-avro'
import type { FeedCursor, MarketEvent } from '@tickertape/market-model'
import { startSimulator } from '@tickertape/market-simulator'
import type { RunningSimulator, SimulatorOptions, Venue } from '@tickertape/market-simulator'
import { ServiceProcess, testStack, uniquePrefix, waitUntil } from '@tickertape/testing'

import { RecordTail, TopicTail } from './topic-tail.ts'
import type { ReadRecord } from './topic-tail.ts'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

type Settings = Readonly<Record<string, string>>

export interface IngestRunOptions {
  readonly venue: Venue
  readonly instruments: readonly string[]
  readonly simulator?: SimulatorOptions
  /** On top of those that lead to the simulator; made when it runs. */
  readonly settings?: Settings | ((simulator: RunningSimulator) => Settings)
}

/** What the simulator's control says; its own document. */
interface Status {
  readonly clock: number
  readonly connections: readonly { readonly subscriptions: readonly string[] }[]
}

/** The beginning of every market here. */
export const marketStart = Date.UTC(2026, 4, 20)

/** Ingest as a process of its own, in front of a simulated venue whose clock begins when it is there. */
export class IngestRun implements AsyncDisposable {
  readonly prefix = uniquePrefix()
  readonly simulator: RunningSimulator
  readonly #options: IngestRunOptions
  #environment: Readonly<Record<string, string>>
  #process: ServiceProcess | undefined
  readonly #events: RecordTail<'market-events'>
  readonly #cursors: RecordTail<'feed-cursors'>
  readonly #rejected: TopicTail
  /** The highest upTo of each partition, in the records that were looked at. */
  readonly #upTo = new Map<number, number>()
  #lookedAt = 0

  private constructor(options: IngestRunOptions, simulator: RunningSimulator) {
    const stack = testStack()
    this.simulator = simulator
    this.#options = options
    this.#events = new RecordTail('market-events', this.prefix)
    this.#cursors = new RecordTail('feed-cursors', this.prefix)
    this.#rejected = new TopicTail(`${this.prefix}rejected`)
    this.#environment = {
      KAFKA_BROKERS: stack.kafkaBrokers,
      REGISTRY_URL: stack.registryUrl,
      TOPIC_PREFIX: this.prefix,
      INGEST_VENUE: options.venue,
      INGEST_INSTRUMENTS: options.instruments.join(','),
      INGEST_WS_URL: simulator.wsUrl(options.venue),
      INGEST_REST_URL: simulator.restUrl(options.venue),
      INGEST_ADMIN_PORT: '0',
      ...(typeof options.settings === 'function' ? options.settings(simulator) : options.settings),
    }
  }

  static async open(options: IngestRunOptions): Promise<IngestRun> {
    const simulator = await startSimulator({
      start: marketStart,
      speed: 10,
      seed: 'ingest',
      limits: false,
      ...options.simulator,
      hold: true,
    })
    const run = new IngestRun(options, simulator)
    await ensureTopics({ connection: { brokers: testStack().kafkaBrokers }, prefix: run.prefix })
    run.start()
    await run.subscribed()
    simulator.release()
    return run
  }

  /** @throws Error if it was never started. */
  get process(): ServiceProcess {
    if (this.#process === undefined) throw new Error('Ingest was not started')
    return this.#process
  }

  get output(): string {
    return this.#process?.output ?? ''
  }

  /** @param settings on top of those that the run was opened with, from now on. */
  start(settings: Settings = {}): void {
    this.#environment = { ...this.#environment, ...settings }
    this.#process = ServiceProcess.start({ main, environment: this.#environment })
  }

  /** All that is in the log by now. */
  records(): Promise<readonly ReadRecord<MarketEvent>[]> {
    return this.#events.read()
  }

  cursors(): Promise<readonly ReadRecord<FeedCursor>[]> {
    return this.#cursors.read()
  }

  /** Those that the next process finds. */
  standingCursors(): Promise<readonly FeedCursor[]> {
    return this.#cursors.latest()
  }

  rejected(): Promise<readonly LogRecord[]> {
    return this.#rejected.read()
  }

  /** @returns the exit code; null after a kill. */
  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    return (await this.#process?.stop(signal)) ?? null
  }

  async arm(fault: string, parameters: object = {}): Promise<unknown> {
    const answer = await fetch(`${this.simulator.controlUrl}/${fault}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(parameters),
    })
    if (!answer.ok) throw new Error(`${fault}: ${await answer.text()}`)
    return await answer.json()
  }

  async venueTime(): Promise<number> {
    return (await this.#status()).clock
  }

  async subscribed(): Promise<void> {
    await this.#wait('every instrument to be subscribed', async () => {
      const { connections } = await this.#status()
      const names = connections.flatMap(({ subscriptions }) => subscriptions)
      return names.length >= this.#options.instruments.length
    })
  }

  /** Waits until every partition has a heartbeat that covers this venue time. */
  async covered(time: number): Promise<void> {
    await this.#wait(`heartbeats up to ${time}`, async () => {
      await this.#lookOn()
      const covering = this.#upTo.values().filter((upTo) => upTo >= time)
      return covering.toArray().length === defaultPartitions
    })
  }

  /** Lets this much venue time pass, and ingest come up to it. */
  async advance(milliseconds: number): Promise<void> {
    await this.covered((await this.venueTime()) + milliseconds)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGKILL')
    await this.simulator[Symbol.asyncDispose]()
  }

  async #lookOn(): Promise<void> {
    const records = await this.#events.read()
    for (const { partition, value } of records.slice(this.#lookedAt)) {
      if (value.type !== 'FeedHeartbeat') continue
      this.#upTo.set(partition, Math.max(this.#upTo.get(partition) ?? 0, value.value.upTo))
    }
    this.#lookedAt = records.length
  }

  async #status(): Promise<Status> {
    const answer = await fetch(`${this.simulator.controlUrl}/status`)
    // In the shape above by the simulator's own control.
    return (await answer.json()) as Status
  }

  async #wait(what: string, condition: () => Promise<boolean>): Promise<void> {
    try {
      await waitUntil(what, condition, { withinMs: 180_000, everyMs: 200 })
    } catch (error) {
      throw new Error(`${String(error)}\n${this.output}`, { cause: error })
    }
  }
}
