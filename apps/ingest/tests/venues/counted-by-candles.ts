import { deserialize, serialize } from 'node:v8'

import { PartitionAggregation } from '@tickertape/candles'
import type { LoggedTrade, StoredWindowCodec } from '@tickertape/candles'
import { defaultPartitions } from '@tickertape/kafka-avro'
import { instrumentIdOf } from '@tickertape/market-model'
import type { Candle, OffsetRange, StoredWindow, Trade } from '@tickertape/market-model'

import type { LogRecord } from '../log-facts.ts'

const codec: StoredWindowCodec = {
  encode: (window) => serialize(window),
  // As `encode` has written it.
  decode: (bytes) => deserialize(bytes) as StoredWindow,
}

const settings = {
  graceMs: 1_000,
  futureToleranceMs: 5_000,
  // No record of a test is late.
  horizonMs: 86_400_000,
  intervals: ['1s'],
  indicators: [],
} as const

/** Seconds of an instrument with the number of trades that count in them: `instrumentId windowStart: 3`. */
export type CountedSeconds = ReadonlySet<string>

/** What the aggregator counts in this log, in windows that its heartbeats have closed. */
export function countedByCandles(records: readonly LogRecord[]): {
  readonly seconds: CountedSeconds
  /** The lowest watermark of a partition: all windows that end before it by the grace are closed. */
  readonly closedUntil: number
} {
  const latest = new Map<string, Candle>()
  let closedUntil = Infinity
  for (let partition = 0; partition < defaultPartitions; partition += 1) {
    const own = records.filter((record) => record.partition === partition)
    const aggregation = new PartitionAggregation(settings, codec)
    for (const candle of candlesOf(aggregation, own)) {
      latest.set(`${candle.instrumentId} ${candle.windowStart}`, candle)
    }
    const upTo = aggregation.watermarks().map((each) => each.upTo)
    closedUntil = Math.min(closedUntil, ...upTo.map((each) => each - settings.graceMs))
  }
  const seconds = [...latest.values()]
    .filter(({ tradeCount, windowEnd }) => tradeCount > 0 && windowEnd <= closedUntil)
    .map(({ instrumentId, tradeCount, windowStart }) =>
      second(instrumentId, windowStart, tradeCount),
    )
  return { seconds: new Set(seconds), closedUntil }
}

/** The same by the rule alone: of each trade the highest version counts, if it is confirmed. */
export function countedByRule(records: readonly LogRecord[], closedUntil: number): CountedSeconds {
  const standing = new Map<string, Trade>()
  const heartbeats = new Map<number, number>()
  for (const { offset, partition, value } of records) {
    if (value.type === 'FeedHeartbeat') heartbeats.set(partition, offset)
  }
  for (const { offset, partition, value } of records) {
    if (value.type !== 'Trade') continue
    // A correction of a window that is closed is told with the next heartbeat: behind the last one there is none.
    if (offset > (heartbeats.get(partition) ?? -1)) continue
    const identity = `${instrumentIdOf(value.value)} ${value.value.tradeId}`
    if ((standing.get(identity)?.version ?? -1) < value.value.version) {
      standing.set(identity, value.value)
    }
  }
  const counts = new Map<string, number>()
  for (const trade of standing.values()) {
    const windowStart = Math.floor(trade.eventTime / 1_000) * 1_000
    if (trade.status !== 'confirmed' || windowStart + 1_000 > closedUntil) continue
    const window = `${instrumentIdOf(trade)} ${windowStart}`
    counts.set(window, (counts.get(window) ?? 0) + 1)
  }
  return new Set([...counts].map(([window, count]) => `${window}: ${count}`))
}

function* candlesOf(
  aggregation: PartitionAggregation,
  records: readonly LogRecord[],
): Generator<Candle> {
  const trades: LoggedTrade[] = []
  for (const { offset, value: event } of records) {
    if (event.type === 'Trade') trades.push({ offset, trade: event.value })
    const wanted: OffsetRange[] = []
    for (;;) {
      const logged = wanted.flatMap((range) => within(trades, range)).toSorted(byOffset)
      const applied = aggregation.apply(event, offset, wanted.length === 0 ? undefined : logged)
      yield* applied.candles
      // Each question is for what the ones before it did not ask for.
      wanted.push(...(applied.needs ?? []))
      if (applied.needs === null && !applied.unfinished) break
    }
  }
}

/** @param trades by their offset: a long log is asked for thousands of windows. */
function within(trades: readonly LoggedTrade[], { from, to }: OffsetRange): readonly LoggedTrade[] {
  return trades.slice(countBelow(trades, from), countBelow(trades, to + 1))
}

function countBelow(trades: readonly LoggedTrade[], offset: number): number {
  let [low, high] = [0, trades.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((trades[middle]?.offset ?? Infinity) < offset) low = middle + 1
    else high = middle
  }
  return low
}

function byOffset(one: LoggedTrade, other: LoggedTrade): number {
  return one.offset - other.offset
}

function second(instrumentId: string, windowStart: number, count: number): string {
  return `${instrumentId} ${windowStart}: ${count}`
}
