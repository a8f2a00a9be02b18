import { deserialize, serialize } from 'node:v8'

import { PartitionAggregation } from '@tickertape/candles'
import type { AggregationSettings, StoredWindowCodec } from '@tickertape/candles'
import { intervals } from '@tickertape/market-model'
import type { Candle, MarketEvent, OffsetRange, StoredWindow } from '@tickertape/market-model'

import { readRecords } from './market-log.ts'
import type { MarketLog } from './market-log.ts'

/** The service's defaults. */
export const defaultSettings: AggregationSettings = {
  graceMs: 1_000,
  futureToleranceMs: 5_000,
  horizonMs: 3_600_000,
  intervals,
  indicators: ['close:span=12'],
}

/** Windows as V8 writes them: another way than the service's, with the same result. */
export const plainCodec: StoredWindowCodec = {
  encode: (window) => serialize(window),
  // What `encode` made.
  decode: (bytes) => deserialize(bytes) as StoredWindow,
}

/** The candles that one uninterrupted pass over each partition's log gives. */
export async function candlesInOnePass(
  log: MarketLog,
  settings: AggregationSettings = defaultSettings,
): Promise<readonly Candle[][]> {
  const byPartition = await readRecords(log, 'market-events')
  return byPartition.map((events) => applyAll(events, settings))
}

function applyAll(events: readonly MarketEvent[], settings: AggregationSettings): Candle[] {
  const aggregation = new PartitionAggregation(settings, plainCodec)
  const candles: Candle[] = []
  for (const [offset, event] of events.entries()) {
    let unfinished = true
    while (unfinished) {
      let applied = aggregation.apply(event, offset)
      if (applied.needs !== null) {
        applied = aggregation.apply(event, offset, tradesAt(events, applied.needs))
      }
      candles.push(...applied.candles)
      unfinished = applied.unfinished
    }
    // As the service does with each transaction: closed windows are packed, and read back from there.
    if (offset % 1_000 === 0) aggregation.takeChanges(offset + 1)
  }
  return candles
}

function tradesAt(events: readonly MarketEvent[], ranges: readonly OffsetRange[]) {
  return ranges.flatMap(({ from, to }) =>
    events
      .slice(from, to + 1)
      .flatMap((event, at) =>
        event.type === 'Trade' ? [{ offset: from + at, trade: event.value }] : [],
      ),
  )
}
