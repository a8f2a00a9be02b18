import { setImmediate as nextTurn } from 'node:timers/promises'

import {
  KafkaAvroError,
  LogTail,
  offsetsAtTime,
  requireTopics,
  topicName,
  topicOffsets,
} from '@tickertape/kafka-avro'
import type {
  FetchMeasure,
  FetchQueue,
  KafkaConnection,
  LogRecord,
  Registry,
  TailProgress,
} from '@tickertape/kafka-avro'
import type { Database } from '@tickertape/market-store'
import { retrying } from '@tickertape/service-runtime'
import type { Tracing } from '@tickertape/tracing'

import type { UpdatesListener } from '../market-view.ts'
import { MarketViewError } from './errors.ts'
import type { MarketViewEvents, TopicLag } from './events.ts'
import type { FlowMeter } from './flow-meter.ts'
import type { MarketMemory, MemoryLimits } from './market-memory.ts'
import { RecordApplier } from './record-applier.ts'
import type { ViewTopics } from './record-applier.ts'
import { RecordTraces } from './record-traces.ts'
import { readSnapshot } from './snapshot.ts'

export interface SessionOptions {
  readonly connection: KafkaConnection
  readonly topicPrefix: string
  readonly clientId: string
  readonly registry: Registry
  readonly database: Database
  readonly limits: MemoryLimits
  readonly events: MarketViewEvents
  readonly flow: FlowMeter
  readonly tracing: Tracing
  readonly fetches: FetchMeasure | undefined
}

/** Offsets of one topic by partition. */
interface TopicEnds {
  readonly low: readonly number[]
  readonly high: readonly number[]
}

/** Records that are applied in one turn of the event loop: some 5 ms. */
const recordsAtOnce = 1_000
const longestWaitMs = 250
const statsEveryMs = 1_000
/** An answer comes twice a second, from a broker that is there. */
const silenceBoundMs = 5_000
/** Candles of windows that are open when the view begins: of each partition the latest records are enough to find them. */
const openCandlesBefore = 5_000

/**
 * How far before the beginning, by Kafka's time of append, records are read for those who resume. Rows reflect them
 * mostly, but clients have been told of the latest and of nothing since: a gateway that is started again, or begins
 * anew, is away for less than this.
 */
const rememberedMs = 120_000

/** A memory and the topics that it follows, from one reading of the database on. */
export class ViewSession implements AsyncDisposable {
  readonly memory: MarketMemory
  readonly #options: SessionOptions
  readonly #topics: ViewTopics
  readonly #tail: LogTail
  readonly #applier: RecordApplier
  #statsAt = -Infinity

  private constructor(
    options: SessionOptions,
    topics: ViewTopics,
    memory: MarketMemory,
    tail: LogTail,
  ) {
    this.#options = options
    this.#topics = topics
    this.memory = memory
    this.#tail = tail
    const { registry, events, flow, tracing, topicPrefix } = options
    const traces = new RecordTraces(tracing, topicPrefix)
    this.#applier = new RecordApplier(registry, topics, { events, flow, traces })
  }

  /**
   * Reads the rows and begins to read the topics from the offsets that they reflect, or from somewhat before for
   * those who resume.
   *
   * @throws MarketViewError where the topics do not go on from the rows; KafkaAvroError; what PostgreSQL says.
   */
  static async begin(options: SessionOptions, signal: AbortSignal): Promise<ViewSession> {
    const { connection, topicPrefix, events } = options
    await requireTopics(connection, topicPrefix, ['market-events', 'candles', 'candles-live'])
    const topics = {
      candles: topicName('candles', topicPrefix),
      openCandles: topicName('candles-live', topicPrefix),
      marketEvents: topicName('market-events', topicPrefix),
    }
    events.readingRows()
    const ends = async () =>
      await Promise.all([
        endsOf(connection, topics.candles),
        endsOf(connection, topics.marketEvents),
        endsOf(connection, topics.openCandles),
      ])
    const since = Date.now() - rememberedMs
    const [before, candlesSince, eventsSince] = await Promise.all([
      ends(),
      offsetsAtTime(connection, topics.candles, since),
      offsetsAtTime(connection, topics.marketEvents, since),
    ])
    const memory = await readSnapshot({
      database: options.database,
      limits: options.limits,
      topics,
      earliest: { candles: before[0].low, marketEvents: before[1].low },
      remembered: { candles: candlesSince, marketEvents: eventsSince },
      signal,
    })
    const { candles, marketEvents } = memory.position()
    const after = await ends()
    requireWithin(topics.candles, memory.rowsUpTo.candles, after[0])
    requireWithin(topics.marketEvents, memory.rowsUpTo.marketEvents, after[1])
    const open = after[2]
    const tail = new LogTail({
      connection,
      clientId: options.clientId,
      positions: [
        ...positionsOf(topics.candles, candles),
        ...positionsOf(topics.marketEvents, marketEvents),
        ...positionsOf(
          topics.openCandles,
          open.high.map((high, at) => Math.max(open.low[at] ?? 0, high - openCandlesBefore)),
        ),
      ],
      onWarning: (message) => events.kafkaWarning(message),
      fetches: options.fetches,
    })
    return new ViewSession(options, topics, memory, tail)
  }

  /**
   * Reads the topics to where they end now. Market events come first, for they are the clock by which candles
   * are of the last 24 hours.
   */
  async catchUp(signal: AbortSignal): Promise<void> {
    const { candles, openCandles, marketEvents } = this.#topics
    this.#tail.setPaused(candles, true)
    this.#tail.setPaused(openCandles, true)
    await this.#readToEnd([marketEvents], signal)
    this.#tail.setPaused(candles, false)
    await this.#readToEnd([marketEvents, candles], signal)
    this.#tail.setPaused(openCandles, false)
    await this.#readToEnd([marketEvents, candles, openCandles], signal)
    this.memory.endRecall()
    this.memory.refreshStats()
    this.#statsAt = performance.now()
  }

  /** Applies what comes, and tells of it in the same turn, until the signal. */
  async follow(tell: UpdatesListener, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#applyNext(tell, signal)
      const now = performance.now()
      if (now - this.#statsAt < statsEveryMs) continue
      this.#statsAt = now
      const updates = this.memory.refreshStats()
      if (updates.length > 0) tell(updates)
    }
  }

  get fetchQueue(): FetchQueue {
    return this.#tail.fetchQueue
  }

  get lags(): readonly TopicLag[] {
    const lags = new Map<string, number>()
    for (const { topic, position, end } of this.#tail.progress) {
      lags.set(topic, (lags.get(topic) ?? 0) + Math.max(0, (end ?? position) - position))
    }
    return [...lags].map(([topic, records]) => ({ topic, records }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tail[Symbol.asyncDispose]()
  }

  async #readToEnd(topics: readonly string[], signal: AbortSignal): Promise<void> {
    const followed = this.#tail.progress.filter(({ topic }) => topics.includes(topic))
    while (!signal.aborted && !followed.every(isAtEnd)) {
      await this.#applyNext(() => undefined, signal)
      const left = this.lags.reduce((sum, { records }) => sum + records, 0)
      this.#options.events.catchingUp(left)
    }
    signal.throwIfAborted()
  }

  async #applyNext(tell: UpdatesListener, signal: AbortSignal): Promise<void> {
    // Without a turn of the loop a topic that is read ahead would keep the sockets from theirs.
    await nextTurn()
    const records = await this.#tail.next(recordsAtOnce, longestWaitMs, signal)
    const { progress } = this.#tail
    const silentMs = Math.max(...progress.map((each) => each.silentMs))
    this.#options.events.silence(silentMs, silenceBoundMs)
    if (records.length > 0) await this.#prepare(records, signal)
    const applied = this.#applier.apply(this.memory, records, Date.now())
    for (const { topic, partition, position, end } of progress) {
      if (topic === this.#topics.candles) this.memory.moveTo('candles', partition, position, end)
      if (topic === this.#topics.marketEvents) {
        this.memory.moveTo('market-events', partition, position, end)
      }
    }
    const { updates, appendedAt, sampled } = applied
    if (updates.length > 0) tell(updates, appendedAt, sampled)
  }

  async #prepare(records: readonly LogRecord[], signal: AbortSignal): Promise<void> {
    const { events } = this.#options
    await retrying(
      async () => await this.#applier.prepare(records),
      { firstMs: 200, maxMs: 5_000, signal },
      {
        isPassing: (error) =>
          error instanceof KafkaAvroError &&
          (error.code === 'registry_unreachable' || error.code === 'registry_access_refused'),
        onFailure: (error, retryInMs) => events.registryAway(error, retryInMs),
        onSuccess: () => events.registryBack(),
      },
    )
  }
}

function isAtEnd({ position, stableEnd }: TailProgress): boolean {
  return stableEnd !== undefined && position >= stableEnd
}

function positionsOf(topic: string, offsets: readonly number[]) {
  return offsets.map((offset, partition) => ({ topic, partition, offset }))
}

async function endsOf(connection: KafkaConnection, topic: string): Promise<TopicEnds> {
  const offsets = await topicOffsets(connection, topic)
  const ordered = offsets.toSorted((a, b) => a.partition - b.partition)
  return { low: ordered.map(({ low }) => low), high: ordered.map(({ high }) => high) }
}

/** @throws MarketViewError where reading on from the rows would leave records out. */
function requireWithin(topic: string, offsets: readonly number[], { low, high }: TopicEnds): void {
  for (const [partition, offset] of offsets.entries()) {
    const first = low[partition] ?? 0
    const end = high[partition] ?? 0
    if (offset < first) {
      throw new MarketViewError(
        'rows_before_topic',
        `The database holds ${topic}[${partition}] up to offset ${offset}, but Kafka keeps it from ${first} on: what is between them was never written. pg-sink, which stands there too, says what to do`,
      )
    }
    if (offset > end) {
      throw new MarketViewError(
        'rows_after_topic',
        `The database holds ${topic}[${partition}] up to offset ${offset}, but it ends at ${end}: the topic was made anew, or DATABASE_URL is another installation's than KAFKA_BROKERS and TOPIC_PREFIX`,
      )
    }
  }
}
