import type { Candle, MarketEvent } from '@tickertape/market-model'
import { describe, expect, test } from 'vitest'
import type { AggregationSettings } from './aggregation-settings.ts'
import { FedPartition, fedSettings, minute } from './fed-partition.ts'
import { epoch, heartbeat, tradeEvent } from './market-logs.ts'
import { memoryCodec } from './memory-codec.ts'

const settings: AggregationSettings = { ...fedSettings, intervals: ['1s', '1m', '5m'] }
const rebuildId = 99

function trade(at: number, sequence: number, mantissa: number): MarketEvent {
  return tradeEvent({ eventTime: epoch + at, sequence, price: { mantissa, exponent: 0 } })
}

/** The log is read again with what came late ahead of all else, and its windows are adopted. */
function rebuild(
  live: FedPartition,
  log: readonly MarketEvent[],
  late: readonly MarketEvent[],
  toTime: number,
): readonly Candle[] {
  const rebuilt = live.aggregation.forRebuild(settings, memoryCodec())
  const candles = [...late, ...log].flatMap((event, offset) => rebuilt.apply(event, offset).candles)
  live.aggregation.adoptRebuilt(rebuilt, rebuildId, { fromTime: epoch, toTime })
  return candles
}

describe('a rebuild', () => {
  test('counts what came late, and what closes later counts it as well', () => {
    const live = new FedPartition({ intervals: settings.intervals })
    const log = [
      trade(3 * minute, 2, 5),
      heartbeat(epoch + 4 * minute),
      // The minute that it belongs to never had a candle.
      trade(0, 1, 9),
    ]
    const outcomes = log.map((event) => live.apply(event).outcome)
    expect(outcomes).toStrictEqual(['accepted', 'accepted', 'late'])

    const candles = rebuild(live, log, log.slice(2), epoch + 4 * minute)
    expect(candles.filter(({ tradeCount }) => tradeCount > 0)).toMatchObject([
      { interval: '1s', windowStart: epoch },
      { interval: '1m', windowStart: epoch },
      { interval: '1s', windowStart: epoch + 3 * minute },
    ])
    live.beat(6 * minute)
    expect(live.candles.filter(({ interval }) => interval === '5m')).toMatchObject([
      { tradeCount: 2, open: { mantissa: 9, exponent: 0 }, revision: 0 },
    ])
  })

  test('is what later revisions revise', () => {
    const live = new FedPartition({ intervals: settings.intervals, horizonMs: 10 * minute })
    const log = [trade(0, 1, 5), heartbeat(epoch + 2 * minute)]
    for (const event of log) live.apply(event)
    rebuild(live, log, [], epoch + minute)
    live.apply(trade(1, 2, 7))
    expect(live.apply(heartbeat(epoch + 2 * minute)).candles).toMatchObject([
      { interval: '1s', rebuildId, revision: 1, tradeCount: 2 },
      { interval: '1m', rebuildId, revision: 1, tradeCount: 2 },
    ])
  })
})
