import { partitionOf } from '@tickertape/kafka-avro'
import type { MarketEvent } from '@tickertape/market-model'

import { connectionsOf } from './reference-market-delivery.ts'
import type { Delivery, Garbage, RejectIntent } from './reference-market-delivery.ts'
import { TradeDeliveries } from './reference-market-faults.ts'
import {
  garbageDeliveries,
  heartbeatDeliveries,
  statusDeliveries,
} from './reference-market-feeds.ts'
import { gapDeliveries, holesOf } from './reference-market-gaps.ts'
import { marketInstruments, timelineOf } from './reference-market-instruments.ts'
import type { Timeline } from './reference-market-instruments.ts'
import { tradesOf } from './reference-market-trades.ts'

export interface MarketRecord {
  readonly partition: number
  /** In its partition, in a topic that holds nothing else. */
  readonly offset: number
  readonly key: string | null
  readonly event: MarketEvent | Garbage
  /** Set where the aggregator must reject it for this reason; null: the order of the log tells. */
  readonly intent: RejectIntent | null
}

export interface ReferenceMarket {
  readonly timeline: Timeline
  /** In the order in which they are appended. */
  readonly records: readonly MarketRecord[]
}

export interface ReferenceMarketOptions {
  readonly seed: number
  /** Trades that happen; the log holds each about twice. */
  readonly trades: number
  readonly tradingMs: number
  readonly partitions: number
}

/**
 * The log of a market as two ingest replicas of each feed write it, with all that may go wrong with
 * feeds, venues and clocks. The same options give the same log.
 */
export function referenceMarket(options: ReferenceMarketOptions): ReferenceMarket {
  const { seed, partitions } = options
  const timeline = timelineOf(options.tradingMs)
  const connections = connectionsOf(timeline, seed)
  const holes = holesOf(timeline)
  const totalWeight = marketInstruments.reduce((sum, { weight }) => sum + weight, 0)
  const trades = new Map(
    marketInstruments.map((instrument) => {
      const count = Math.ceil((options.trades * instrument.weight) / totalWeight)
      return [instrument, tradesOf(instrument, timeline, count, seed)] as const
    }),
  )
  const deliveries: Delivery[] = [...statusDeliveries(timeline), ...gapDeliveries(timeline, trades)]
  for (const [instrument, made] of trades) {
    const desk = new TradeDeliveries(instrument, { connections, timeline, holes, seed })
    for (const trade of made) desk.add(trade)
    for (const delivery of desk.deliveries) deliveries.push(delivery)
  }
  deliveries.push(...garbageDeliveries(timeline, Math.ceil(options.trades / 2_000), seed))
  // Behind the trades of the same moment.
  for (const delivery of heartbeatDeliveries(timeline, connections, seed)) deliveries.push(delivery)
  const ordered = deliveries.filter(({ at }) => at < timeline.end).sort((a, b) => a.at - b.at)
  return { timeline, records: recordsOf(ordered, partitions) }
}

/** The same log by partition; a record's index is its offset. */
export function byPartition(
  records: readonly MarketRecord[],
  partitions: number,
): readonly (readonly MarketRecord[])[] {
  const logs = Array.from({ length: partitions }, (): MarketRecord[] => [])
  for (const record of records) logs[record.partition]?.push(record)
  return logs
}

function recordsOf(deliveries: readonly Delivery[], partitions: number): readonly MarketRecord[] {
  const all = Array.from({ length: partitions }, (_, partition) => partition)
  const ends = all.map(() => 0)
  const records: MarketRecord[] = []
  for (const { event, instrumentId, intent } of deliveries) {
    const targets = instrumentId === null ? all : [partitionOf(instrumentId, partitions)]
    for (const partition of targets) {
      const offset = ends[partition] ?? 0
      ends[partition] = offset + 1
      records.push({ partition, offset, key: instrumentId, event, intent })
    }
  }
  return records
}
