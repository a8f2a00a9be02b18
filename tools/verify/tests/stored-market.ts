import { PartitionAggregation } from '@tickertape/candles'
import { noOptionalFacts } from '@tickertape/market-model'
import type { Candle, FeedHeartbeat, MarketEvent, Trade } from '@tickertape/market-model'
import {
  Database,
  bulkInsert,
  bulkUpsert,
  candleRow,
  candles,
  feedWatermarks,
  gapRow,
  migrate,
  rejected,
  sequenceGaps,
  sinkOffsets,
  timeText,
  tradeRow,
  trades,
} from '@tickertape/market-store'
import type { RejectedRow } from '@tickertape/market-store'
import { testDatabase } from '@tickertape/testing'

import { compareCandles } from '../src/comparison.ts'
import type { Comparison } from '../src/comparison.ts'
import { takeSnapshot } from '../src/snapshot.ts'
import { verifyDefaults } from '../src/verify.ts'

const futureToleranceMs = 5_000
const rejectedOutcomes = new Set(['late', 'future', 'invalid'])

/** A database that holds what the services make of a market: one partition, no broker between. */
export interface StoredMarket extends AsyncDisposable {
  readonly database: Database
  readonly databaseUrl: string
  /** Forgets everything and stores another market. @returns the candles that the aggregation gave. */
  store(events: readonly MarketEvent[]): Promise<readonly Candle[]>
  compare(): Promise<Comparison>
}

/** @param topic what the database knows as the topic of trades. */
export async function createStoredMarket(topic = 'market-events'): Promise<StoredMarket> {
  const created = await testDatabase()
  await migrate(created.url)
  const database = new Database(created.url, { applicationName: 'test' })
  return {
    database,
    databaseUrl: created.url,
    store: async (events) => {
      await database.query(
        'truncate trades, candles, rejected, sequence_gaps, feed_watermarks, sink_offsets',
      )
      return await storeMarket(database, topic, events)
    },
    compare: async () =>
      compareCandles(database, await takeSnapshot(database, topic), {
        ...verifyDefaults,
        shownDifferences: 5,
      }),
    [Symbol.asyncDispose]: async () => {
      await database[Symbol.asyncDispose]()
      await created[Symbol.asyncDispose]()
    },
  }
}

async function storeMarket(
  database: Database,
  topic: string,
  events: readonly MarketEvent[],
): Promise<readonly Candle[]> {
  const aggregation = new PartitionAggregation({
    graceMs: verifyDefaults.graceMs,
    futureToleranceMs,
    intervals: ['1s', '1m'],
    indicators: [],
  })
  const closed: Candle[] = []
  const rejects: RejectedRow[] = []
  for (const [offset, event] of events.entries()) {
    const applied = aggregation.apply(event, offset)
    closed.push(...applied.candles)
    if (rejectedOutcomes.has(applied.outcome)) {
      rejects.push(rejectAt(topic, offset, applied.outcome))
    }
  }
  const rows = events.flatMap(({ type, value }, offset) =>
    type === 'Trade' ? [tradeRow(value, { partition: 0, offset })] : [],
  )
  const gaps = events.flatMap(({ type, value }, offset) =>
    type === 'SequenceGap' ? [gapRow(value, { partition: 0, offset })] : [],
  )
  const next = { topic, partition: 0, nextOffset: events.length, epoch: 1 }
  await database.query(bulkInsert(trades).with(rows))
  await database.query(bulkInsert(rejected).with(rejects))
  await database.query(bulkInsert(candles).with(closed.map(candleRow)))
  await database.query(bulkInsert(sequenceGaps).with(gaps))
  await database.query(bulkInsert(sinkOffsets).with([next]))
  for (const { type, value } of events) {
    if (type === 'FeedHeartbeat') await storeHeartbeat(database, value)
  }
  return closed
}

async function storeHeartbeat(
  database: Database,
  { feedId, upTo, receivedAt }: FeedHeartbeat,
): Promise<void> {
  if (upTo - receivedAt > futureToleranceMs) return
  const upsert = bulkUpsert(feedWatermarks, 'excluded.up_to > feed_watermarks.up_to')
  await database.query(upsert.with([{ partition: 0, feedId, upTo: timeText(upTo) }]))
}

function rejectAt(topic: string, offset: number, reason: string): RejectedRow {
  return {
    topic: 'rejected',
    partition: 0,
    offset,
    stage: 'aggregator',
    reason,
    message: '',
    sourceTopic: topic,
    sourcePartition: 0,
    sourceOffset: offset,
    key: null,
    value: null,
    rejectedAt: timeText(0),
  }
}

export const base = Date.UTC(2026, 0, 5)

/** A trade at a time in ms after the market's beginning. */
export function trade(number: number, afterMs: number, changes: Partial<Trade> = {}): MarketEvent {
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

export function heartbeat(afterMs: number, feedId = 'deribit'): MarketEvent {
  const upTo = base + afterMs
  return { type: 'FeedHeartbeat', value: { feedId, replicaId: 'a', upTo, receivedAt: upTo + 20 } }
}
