import { deserialize, serialize } from 'node:v8'

import { PartitionAggregation } from '@tickertape/candles'
import type { AggregationSettings, LoggedTrade, StoredWindowCodec } from '@tickertape/candles'
import { noOptionalFacts } from '@tickertape/market-model'
import type {
  Candle,
  InstrumentStatus,
  MarketEvent,
  OffsetRange,
  StoredWindow,
  Trade,
} from '@tickertape/market-model'
import {
  Database,
  bulkInsert,
  bulkUpsert,
  candleRow,
  candles,
  ensureTradePartitions,
  feedWatermarks,
  gapRow,
  instrumentRow,
  instruments,
  keepKnownTerms,
  migrate,
  rejected,
  sequenceGaps,
  sinkOffsets,
  timeText,
  tradeDay,
  tradeRow,
  trades,
} from '@tickertape/market-store'
import type { RejectedRow } from '@tickertape/market-store'
import { testDatabase } from '@tickertape/testing'

import { compareCandles } from '../src/comparison.ts'
import type { Comparison, ComparisonOptions } from '../src/comparison.ts'
import { takeSnapshot } from '../src/snapshot.ts'
import { verifyDefaults } from '../src/verify.ts'

const futureToleranceMs = 5_000
const rejectedOutcomes = new Set(['late', 'conflict', 'future', 'invalid'])

const settings: AggregationSettings = {
  graceMs: verifyDefaults.graceMs,
  futureToleranceMs,
  horizonMs: 3_600_000,
  quietSpanMs: verifyDefaults.quietSpanMs,
  intervals: verifyDefaults.intervals,
  indicators: [],
}

/** What the aggregator makes of a log. */
export interface MarketResult {
  readonly candles: readonly Candle[]
  /** One for each record. */
  readonly outcomes: readonly string[]
}

/** A database that holds what the services make of a market: one partition, no broker between. */
export interface StoredMarket extends AsyncDisposable {
  readonly database: Database
  readonly databaseUrl: string
  /** Forgets everything and stores another market. */
  store(events: readonly MarketEvent[]): Promise<MarketResult>
  /** @param changes of the defaults. */
  compare(changes?: Partial<ComparisonOptions>): Promise<Comparison>
  /**
   * Forgets everything and compares another market while it goes on: the sink has stored the records
   * below `seen` when the comparison begins, the candles of all of them when it reads candles, and all
   * records when it asks for them.
   *
   * @param tamper what happens to the candles before they are read.
   */
  compareWhileRunning(
    events: readonly MarketEvent[],
    seen: number,
    tamper?: string,
  ): Promise<Comparison>
}

/** @param topic what the database knows as the topic of trades. */
export async function createStoredMarket(topic = 'market-events'): Promise<StoredMarket> {
  const created = await testDatabase()
  await migrate(created.url)
  const database = new Database(created.url, { applicationName: 'test' })
  const options = { ...verifyDefaults, shownDifferences: 50 }
  const clear = () =>
    database.query(
      'truncate trades, candles, rejected, sequence_gaps, feed_watermarks, sink_offsets, instruments, trade_retention',
    )
  return {
    database,
    databaseUrl: created.url,
    store: async (events) => {
      await clear()
      const result = aggregate(events)
      await storeRecords(database, topic, events, 0)
      await storeResult(database, topic, result)
      return result
    },
    compare: async (changes) =>
      compareCandles(database, await takeSnapshot(database, topic), {
        ...options,
        whenRecordsStored: async () => undefined,
        ...changes,
      }),
    compareWhileRunning: async (events, seen, tamper) => {
      await clear()
      await storeRecords(database, topic, events.slice(0, seen), 0)
      const snapshot = await takeSnapshot(database, topic)
      await storeResult(database, topic, aggregate(events))
      if (tamper !== undefined) await database.query(tamper)
      return await compareCandles(database, snapshot, {
        ...options,
        whenRecordsStored: () => storeRecords(database, topic, events.slice(seen), seen),
      })
    },
    [Symbol.asyncDispose]: async () => {
      await database[Symbol.asyncDispose]()
      await created[Symbol.asyncDispose]()
    },
  }
}

const codec: StoredWindowCodec = {
  encode: serialize,
  // What `encode` was given.
  decode: (bytes) => deserialize(bytes) as StoredWindow,
}

function aggregate(events: readonly MarketEvent[]): MarketResult {
  const aggregation = new PartitionAggregation(settings, codec)
  const made: Candle[] = []
  const outcomes = events.map((event, offset) => {
    let applied = aggregation.apply(event, offset)
    if (applied.needs !== null) {
      applied = aggregation.apply(event, offset, loggedTrades(events, applied.needs))
    }
    made.push(...applied.candles)
    return applied.outcome
  })
  return { candles: made, outcomes }
}

function loggedTrades(
  events: readonly MarketEvent[],
  ranges: readonly OffsetRange[],
): readonly LoggedTrade[] {
  return ranges.flatMap(({ from, to }) =>
    events.slice(from, to + 1).flatMap((event, at) => {
      return event.type === 'Trade' ? [{ offset: from + at, trade: event.value }] : []
    }),
  )
}

/** As pg-sink does: of trades the first of an identity, of gaps the last record, of feeds the last heartbeat. */
async function storeRecords(
  database: Database,
  topic: string,
  events: readonly MarketEvent[],
  from: number,
): Promise<void> {
  const insertTrades = bulkInsert(trades)
  const upsertGap = bulkUpsert(sequenceGaps)
  const upsertInstrument = bulkUpsert(instruments, keepKnownTerms)
  const upsertWatermark = bulkUpsert(feedWatermarks, {
    set: { up_to: 'greatest(excluded.up_to, feed_watermarks.up_to)' },
  })
  const rows = events.flatMap(({ type, value }, at) =>
    type === 'Trade' ? [tradeRow(value, { partition: 0, offset: from + at })] : [],
  )
  await ensureTradePartitions(
    database,
    rows.map(({ eventTime }) => tradeDay(Date.parse(eventTime))),
  )
  await database.query(insertTrades.with(rows))
  for (const [at, { type, value }] of events.entries()) {
    const offset = from + at
    if (type === 'InstrumentStatus') {
      const row = instrumentRow(value, { partition: 0, offset })
      await database.query(upsertInstrument.with([row]))
    } else if (type === 'SequenceGap') {
      await database.query(upsertGap.with([gapRow(value, { partition: 0, offset })]))
    } else if (type === 'FeedHeartbeat' && value.upTo - value.receivedAt <= futureToleranceMs) {
      const row = { feedId: value.feedId, upTo: timeText(value.upTo), heartbeatOffset: offset }
      await database.query(upsertWatermark.with([{ partition: 0, ...row }]))
    }
  }
  const nextOffset = from + events.length
  await database.query(
    bulkUpsert(sinkOffsets).with([{ topic, partition: 0, nextOffset, epoch: 1 }]),
  )
}

async function storeResult(
  database: Database,
  topic: string,
  { candles: made, outcomes }: MarketResult,
): Promise<void> {
  const standing = new Map(
    made.map((candle) => [
      [candle.interval, candle.windowStart, candle.instrumentId].join(' '),
      candle,
    ]),
  )
  const rejects = outcomes.flatMap((outcome, offset) =>
    rejectedOutcomes.has(outcome) ? [rejectAt(topic, offset, outcome)] : [],
  )
  await database.query(bulkInsert(candles).with([...standing.values()].map(candleRow)))
  await database.query(bulkInsert(rejected).with(rejects))
}

function rejectAt(topic: string, offset: number, reason: string): RejectedRow {
  return {
    topic: 'rejected',
    partition: 0,
    offset,
    stage: 'aggregator',
    venue: null,
    feedId: null,
    reason,
    message: '',
    sourceTopic: topic,
    sourcePartition: 0,
    sourceOffset: offset,
    key: null,
    value: null,
    rejectedAt: timeText(0),
    redrivenAt: null,
    redriveId: null,
  }
}

export const base = Date.UTC(2026, 0, 5)

/** A trade at a time in ms after the market's beginning. */
export function trade(
  number: number,
  afterMs: number,
  changes: Partial<Trade> = {},
): MarketEvent & { readonly type: 'Trade' } {
  const eventTime = base + afterMs
  return {
    type: 'Trade',
    value: {
      venue: 'deribit',
      feedId: 'deribit',
      instrument: 'BTC-PERPETUAL',
      tradeId: `t${number}`,
      version: 0,
      status: 'confirmed',
      sequence: number,
      venueOrder: null,
      price: { mantissa: 50_000 + ((number * 7919) % 997), exponent: -1 },
      quantity: { mantissa: 1 + (number % 7), exponent: -3 },
      notionalUsd: { mantissa: 5, exponent: 0 },
      takerSide: number % 2 === 0 ? 'buy' : 'sell',
      eventTime,
      receivedAt: eventTime + 20,
      ...noOptionalFacts,
      ...changes,
    },
  }
}

/** What an instrument is: an inverse contract unless said otherwise. */
export function instrumentStatus(
  instrument: string,
  changes: Partial<InstrumentStatus> = {},
): MarketEvent {
  return {
    type: 'InstrumentStatus',
    value: {
      instrumentId: `deribit:${instrument}`,
      feedId: 'deribit',
      status: 'listed',
      eventTime: base,
      receivedAt: base,
      base: 'BTC',
      quote: 'USD',
      kind: 'perpetual',
      quantityUnit: 'quote',
      ...changes,
    },
  }
}

export function heartbeat(afterMs: number, feedId = 'deribit'): MarketEvent {
  const upTo = base + afterMs
  return { type: 'FeedHeartbeat', value: { feedId, replicaId: 'a', upTo, receivedAt: upTo + 20 } }
}
