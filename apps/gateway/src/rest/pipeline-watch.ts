import { topicOffsets } from '@tickertape/kafka-avro'
import type { KafkaConnection } from '@tickertape/kafka-avro'
import type { Pipeline, RejectedCounts } from '@tickertape/market-api'
import { addDecimals, formatDecimal, parseDecimal } from '@tickertape/market-model'
import type { Decimal } from '@tickertape/market-model'
import type { Database } from '@tickertape/market-store'

import type { OpenMarketView } from '../market-view/open-market-view.ts'
import type { HopReading, ViewHop } from '../market-view/flow-meter.ts'
import type { PositionTopics } from './sink-position.ts'
import { sinkPosition, sinkPositionSql } from './sink-position.ts'

export interface PipelineWatchOptions {
  readonly connection: KafkaConnection
  readonly topics: PositionTopics
  readonly database: Pick<Database, 'query'>
  readonly view: OpenMarketView
  readonly now: () => number
}

/** How long an answer of the database or of Kafka's is used again, whoever asks, in ms. */
const keptMs = 2_000
const rejectedKeptMs = 10_000

/** An instance that has not told for this long is gone, in ms. */
const instanceGoneMs = 30_000

const abouts = {
  venue: 'From the event time of a trade to its receipt, by two clocks',
  ingest: 'From its receipt to its place in market-events',
  aggregator: 'From the end of a window to its candle in candles, grace and heartbeat included',
  gateway: 'From a place in a topic to the memory of this gateway',
  database: 'How far the database is behind this gateway, by the event times of the feeds',
} as const satisfies Record<Pipeline['hops'][number]['hop'], string>

/** What the database and Kafka tell of how the pipeline does: asked for seldom, however many look at it. */
export class PipelineWatch {
  readonly #options: PipelineWatchOptions
  readonly #stored: () => Promise<StoredFacts>
  readonly #ends: () => Promise<readonly number[]>
  readonly #notionalUsd24h: () => Promise<string | null>
  #rejected: { readonly since: number; readonly until: number; counts: Promise<Counts> } | undefined

  constructor(options: PipelineWatchOptions) {
    this.#options = options
    const { now } = options
    this.#stored = kept(() => readStored(options), keptMs, now)
    this.#ends = kept(() => readEnds(options), keptMs, now)
    this.#notionalUsd24h = kept(async () => notionalOfAll(options.view), keptMs, now)
  }

  /** @throws what the database says. */
  async pipeline(): Promise<Pipeline> {
    const { view, now } = this.#options
    const flow = view.flow()
    const [stored, ends] = await Promise.all([this.#stored(), this.#ends().catch(() => undefined)])
    const hops = Object.entries(flow.hops).map(([hop, reading]: [string, HopReading]) =>
      // The keys are those of the reading's type.
      describedHop(hop as ViewHop, reading),
    )
    return {
      at: now(),
      tradesPerSecond: flow.tradesPerSecond,
      candlesPerSecond: flow.candlesPerSecond,
      hops: [...hops, describedHop('database', this.#databaseDelay(stored))],
      lags: [...this.#viewLags(), ...this.#sinkLags(stored, ends)],
      gateways: stored.gateways,
      notionalUsd24h: await this.#notionalUsd24h(),
    }
  }

  /** Counts since about that time: one that was counted a moment ago serves for a while. */
  async rejected(since: number): Promise<RejectedCounts> {
    const { database, now } = this.#options
    const known = this.#rejected
    const isKnown =
      known !== undefined && known.until > now() && Math.abs(known.since - since) < rejectedKeptMs
    if (!isKnown) {
      const counts = readRejected(database, since)
      this.#rejected = { since, until: now() + rejectedKeptMs, counts }
      // A failure is not kept.
      counts.catch(() => {
        this.#rejected = undefined
      })
      return { since, counts: await counts }
    }
    return { since: known.since, counts: await known.counts }
  }

  /** Feeds that stand still tell nothing. */
  #databaseDelay({ upTo }: StoredFacts): HopReading {
    const delays = this.#options.view.feeds().flatMap(({ feedId, upTo: seen }) => {
      const written = upTo.get(feedId)
      return seen === null || written === undefined ? [] : [Math.max(0, seen - written)]
    })
    if (delays.length === 0) return { p50Ms: null, p99Ms: null }
    const sorted = delays.sort((a, b) => a - b)
    const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? 0
    return { p50Ms: at(0.5), p99Ms: at(0.99) }
  }

  #viewLags(): Pipeline['lags'] {
    return this.#options.view
      .lags()
      .map(({ topic, records }) => ({ topic, reader: 'gateway' as const, records }))
  }

  #sinkLags(stored: StoredFacts, ends: readonly number[] | undefined): Pipeline['lags'] {
    if (ends === undefined) return []
    const { topics } = this.#options
    const written = sinkPosition(stored.offsets, topics)
    return [
      { topic: topics.candles, written: written.candles },
      { topic: topics.marketEvents, written: written.marketEvents },
    ].map(({ topic, written: offsets }, index) => ({
      topic,
      reader: 'pg-sink' as const,
      records: offsets.reduce(
        (sum, offset, partition) =>
          sum + Math.max(0, (ends[index * topics.partitions + partition] ?? offset) - offset),
        0,
      ),
    }))
  }
}

function describedHop(
  hop: Pipeline['hops'][number]['hop'],
  { p50Ms, p99Ms }: HopReading,
): Pipeline['hops'][number] {
  return { hop, p50Ms, p99Ms, about: abouts[hop] }
}

/** Of the instruments whose value in US dollars is known; null if it is of none. */
function notionalOfAll(view: Pick<OpenMarketView, 'instrumentIds' | 'summary'>): string | null {
  let sum: Decimal | undefined
  for (const instrumentId of view.instrumentIds()) {
    const notional = parseDecimal(view.summary(instrumentId)?.notionalUsd24h ?? '')
    if (notional !== undefined) sum = sum === undefined ? notional : addDecimals(sum, notional)
  }
  return sum === undefined ? null : formatDecimal(sum)
}

type Counts = RejectedCounts['counts']

interface StoredFacts {
  readonly offsets: string
  /** By feed, the least event time over partitions. */
  readonly upTo: ReadonlyMap<string, number>
  readonly gateways: Pipeline['gateways']
}

async function readStored({ database }: PipelineWatchOptions): Promise<StoredFacts> {
  const [offsets, feeds, gateways] = await Promise.all([
    database.query<{ offsets: string | null }>(`select (${sinkPositionSql}) as offsets`),
    database.query<{ feedId: string; upTo: number }>(
      `select feed_id as "feedId", min(date_part('epoch', up_to) * 1000) as "upTo"
      from feed_watermarks group by feed_id`,
    ),
    database.query<Pipeline['gateways'][number]>({
      name: 'gateway-instances',
      text: `select instance, clients, round(date_part('epoch', seen_at) * 1000) as "seenAt"
        from gateway_instances where seen_at > now() - make_interval(secs => $1) order by instance`,
      values: [instanceGoneMs / 1_000],
    }),
  ])
  return {
    offsets: offsets.rows[0]?.offsets ?? '',
    upTo: new Map(feeds.rows.map(({ feedId, upTo }) => [feedId, Math.round(upTo)])),
    gateways: [...gateways.rows],
  }
}

/** End offsets of candles by partition, then those of market-events. */
async function readEnds({ connection, topics }: PipelineWatchOptions): Promise<readonly number[]> {
  const ends = Array.from({ length: 2 * topics.partitions }, () => 0)
  for (const [index, topic] of [topics.candles, topics.marketEvents].entries()) {
    for (const { partition, high } of await topicOffsets(connection, topic)) {
      ends[index * topics.partitions + partition] = high
    }
  }
  return ends
}

async function readRejected(database: Pick<Database, 'query'>, since: number): Promise<Counts> {
  const { rows } = await database.query<{
    reason: string
    stage: string
    count: string
    lastRejectedAt: number
  }>({
    name: 'rejected-counts',
    text: `select reason, stage, count(*) as count,
        round(date_part('epoch', max(rejected_at)) * 1000) as "lastRejectedAt"
      from rejected where redriven_at is null and rejected_at >= to_timestamp($1::float8 / 1000)
      group by reason, stage order by reason, stage`,
    values: [since],
  })
  return rows.map((row) => ({ ...row, count: Number(row.count) }))
}

/** Asks once for all who ask within a time; a failure is not kept. */
function kept<T>(read: () => Promise<T>, ms: number, now: () => number): () => Promise<T> {
  let value: Promise<T> | undefined
  let until = 0
  return () => {
    if (value !== undefined && now() < until) return value
    const reading = read()
    value = reading
    until = now() + ms
    reading.catch(() => {
      if (value === reading) value = undefined
    })
    return reading
  }
}
