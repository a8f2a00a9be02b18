import { setTimeout as delay } from 'node:timers/promises'

import { KafkaAvroError } from '@tickertape/kafka-avro'
import type { KafkaAvroErrorCode, KafkaConnection, Registry } from '@tickertape/kafka-avro'
import type { InstrumentSummary, StatsSpan, StatsSubject } from '@tickertape/market-api'
import type { Interval } from '@tickertape/market-model'
import { isOutage, isTableError } from '@tickertape/market-store'
import type { Database } from '@tickertape/market-store'
import type { KafkaFetchMeasure } from '@tickertape/service-runtime'
import { noTracing } from '@tickertape/tracing'
import type { Tracing } from '@tickertape/tracing'

import type {
  EncodedCandle,
  EncodedStats,
  EncodedTrade,
  FeedView,
  MarketUpdate,
  MarketView,
  Place,
  StreamPosition,
  UpdatesListener,
} from '../market-view.ts'
import { MarketViewError } from './errors.ts'
import type { MarketViewEvents, TopicLag } from './events.ts'
import { FlowMeter } from './flow-meter.ts'
import type { FlowReading } from './flow-meter.ts'
import { MarketMemory } from './market-memory.ts'
import type { MemoryLimits } from './market-memory.ts'
import { ViewSession } from './view-session.ts'

export interface MarketViewOptions {
  readonly kafka: { readonly connection: KafkaConnection; readonly topicPrefix: string }
  readonly registry: Registry
  /** It keeps one connection busy while the view begins, none later. */
  readonly database: Database
  readonly limits: MemoryLimits
  /** None unless given. */
  readonly tracing?: Tracing
  /** Told of what is fetched. */
  readonly fetches?: KafkaFetchMeasure
}

/** A view that follows the topics until it is disposed. */
export interface OpenMarketView extends MarketView, AsyncDisposable {
  /** Settles only if the view cannot go on: it rejects with the reason. */
  readonly failed: Promise<never>
  /** Rates and delays of what passes through it. */
  flow(): FlowReading
  /** Records of each topic that it has not applied yet. */
  lags(): readonly TopicLag[]
}

/** Faults that may pass, or that somebody mends, while the view waits. */
const passing: ReadonlySet<KafkaAvroErrorCode> = new Set([
  'broker_unreachable',
  'registry_unreachable',
  'access_refused',
  'registry_access_refused',
  'topic_missing',
  'reading_failed',
  'offset_out_of_range',
])

const firstRetryMs = 200
const longestRetryMs = 10_000

/**
 * Opens the view: takes the rows of one moment from the database, and reads the topics from there on, all
 * partitions, without a group. It answers once it has caught up with the topics; what it depends on is waited
 * for, and readiness says for what.
 *
 * @param signal ends the opening; an open view is ended by disposing it.
 * @throws the signal's reason; what cannot pass by itself.
 */
export async function openMarketView(
  options: MarketViewOptions,
  events: MarketViewEvents,
  signal: AbortSignal,
): Promise<OpenMarketView> {
  const view = new FollowingView(options, events)
  try {
    await view.opened(signal)
    return view
  } catch (error) {
    await view[Symbol.asyncDispose]()
    throw error
  }
}

class FollowingView implements OpenMarketView {
  readonly failed: Promise<never>
  readonly #options: MarketViewOptions
  readonly #events: MarketViewEvents
  readonly #flow = new FlowMeter()
  readonly #stopping = new AbortController()
  readonly #listeners = new Set<UpdatesListener>()
  readonly #resetListeners = new Set<() => void>()
  readonly #live = Promise.withResolvers<void>()
  readonly #running: Promise<void>
  #memory: MarketMemory
  #session: ViewSession | undefined
  #wasLive = false

  constructor(options: MarketViewOptions, events: MarketViewEvents) {
    this.#options = options
    this.#events = events
    const nowhere = { position: { candles: [], marketEvents: [] }, watermarks: [] }
    this.#memory = new MarketMemory(nowhere, options.limits)
    events.measureLagWith(() => this.lags())
    options.fetches?.queuedWith(() => this.#session?.fetchQueue)
    const failed = Promise.withResolvers<never>()
    this.failed = failed.promise
    // Whoever opened the view learns of it by `opened`, and only later by this.
    failed.promise.catch(() => undefined)
    this.#running = this.#run()
    this.#running.catch(failed.reject)
  }

  /** Waits until it is caught up for the first time. */
  async opened(signal: AbortSignal): Promise<void> {
    const aborted = Promise.withResolvers<never>()
    const abort = (): void => aborted.reject(signal.reason)
    signal.addEventListener('abort', abort)
    try {
      if (signal.aborted) abort()
      await Promise.race([this.#live.promise, this.failed, aborted.promise])
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  position(): StreamPosition {
    return this.#memory.position()
  }

  instrumentIds(): Iterable<string> {
    return this.#memory.instrumentIds()
  }

  candles(instrumentId: string, interval: Interval, count: number): readonly EncodedCandle[] {
    return this.#memory.candles(instrumentId, interval, count)
  }

  heldFrom(instrumentId: string, interval: Interval): number | undefined {
    return this.#memory.heldFrom(instrumentId, interval)
  }

  releasedTo(instrumentId: string, interval: Interval): number {
    return this.#memory.releasedTo(instrumentId, interval)
  }

  trades(instrumentId: string, count: number): readonly EncodedTrade[] {
    return this.#memory.trades(instrumentId, count, Date.now())
  }

  stats(of: StatsSubject, span: StatsSpan): ReadonlyMap<string, EncodedStats> {
    return this.#memory.stats(of, span)
  }

  summary(instrumentId: string): InstrumentSummary | null {
    return this.#memory.summary(instrumentId)
  }

  feeds(): readonly FeedView[] {
    return this.#memory.feeds()
  }

  since(
    position: StreamPosition,
    topics?: readonly Place['topic'][],
  ): readonly MarketUpdate[] | 'too_old' | 'unknown' {
    return this.#memory.since(position, topics)
  }

  listen(listener: UpdatesListener): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) }
  }

  onReset(listener: () => void): Disposable {
    this.#resetListeners.add(listener)
    return { [Symbol.dispose]: () => this.#resetListeners.delete(listener) }
  }

  flow(): FlowReading {
    return this.#flow.read(Date.now())
  }

  lags(): readonly TopicLag[] {
    return this.#session?.lags ?? []
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort()
    // A failure was already told through `failed`.
    await this.#running.catch(() => undefined)
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    let retryInMs = firstRetryMs
    while (!signal.aborted) {
      let isLive = false
      try {
        await this.#follow(signal, () => {
          isLive = true
          retryInMs = firstRetryMs
        })
      } catch (error) {
        if (signal.aborted) return
        if (!isPassing(error)) throw error
        if (isLive) this.#events.reset(error)
        else this.#events.waiting(error, retryInMs)
      }
      await delay(retryInMs, undefined, { signal }).catch(() => undefined)
      retryInMs = Math.min(2 * retryInMs, longestRetryMs)
    }
  }

  async #follow(signal: AbortSignal, onLive: () => void): Promise<void> {
    const { kafka, registry, database, limits, tracing = noTracing } = this.#options
    const began = performance.now()
    await using session = await ViewSession.begin(
      {
        ...kafka,
        clientId: 'gateway',
        registry,
        database,
        limits,
        events: this.#events,
        flow: this.#flow,
        tracing,
        fetches: this.#options.fetches,
      },
      signal,
    )
    this.#session = session
    try {
      await session.catchUp(signal)
      this.#goLive(session.memory, (performance.now() - began) / 1_000)
      onLive()
      await session.follow((...told) => this.#tell(...told), signal)
    } finally {
      this.#session = undefined
    }
  }

  /** What was served until now stays as it was until the new memory takes its place, all at once. */
  #goLive(memory: MarketMemory, seconds: number): void {
    this.#memory = memory
    this.#events.live([...memory.instrumentIds()].length, seconds)
    if (this.#wasLive) {
      for (const listener of this.#resetListeners) this.#guarded(listener)
    }
    this.#wasLive = true
    this.#live.resolve()
  }

  #tell(...told: Parameters<UpdatesListener>): void {
    for (const listener of this.#listeners) this.#guarded(() => listener(...told))
  }

  /** What one listener cannot do must not keep the others from theirs, nor the view from going on. */
  #guarded(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#events.listenerFailed(error)
    }
  }
}

function isPassing(error: unknown): boolean {
  if (error instanceof KafkaAvroError) return passing.has(error.code)
  return error instanceof MarketViewError || isOutage(error) || isTableError(error)
}
