import { describe, expect, it } from 'vitest'

import { rejectedOrigin } from '@tickertape/kafka-avro'
import type { Candle, MarketEvent } from '@tickertape/market-model'
import { waitUntil } from '@tickertape/testing'

import { candlesWhenComplete, metricsOf, startAggregator } from './aggregator-process.ts'
import { createMarketLog, heartbeat, readRecords, readTopic, trade } from './market-log.ts'
import type { MarketLog } from './market-log.ts'
import { candlesInOnePass } from './one-pass.ts'

function gap(state: 'open' | 'backfilled', fromMs: number, toMs: number): MarketEvent {
  const base = Date.UTC(2026, 0, 5)
  return {
    type: 'SequenceGap',
    value: {
      gapId: 'g1',
      feedId: 'deribit',
      replicaId: 'a',
      instrumentId: null,
      fromTime: base + fromMs,
      toTime: base + toMs,
      fromSequence: null,
      toSequence: null,
      state,
    },
  }
}

/** The highest revision of one window, once it has come to a condition. */
async function revisionWhere(
  log: MarketLog,
  condition: (candle: Candle) => boolean,
): Promise<Candle> {
  return waitUntil('the revision', async () =>
    (await readRecords(log, 'candles')).flat().find(condition),
  )
}

describe('a closed window', () => {
  it('is revised by a late trade, a correction and a cancel, with a restart before each', async () => {
    await using log = await createMarketLog()
    const steps: readonly (readonly MarketEvent[])[] = [
      [trade(1, 0), trade(2, 100), trade(4, 2_000), heartbeat(5_000)],
      [trade(3, 200), heartbeat(6_000)],
      [trade(2, 100, { version: 1, price: { mantissa: 7, exponent: 4 } }), heartbeat(7_000)],
      // From one window to another.
      [trade(1, 2_500, { version: 1 }), heartbeat(8_000)],
      [trade(3, 200, { version: 1, status: 'cancelled' }), heartbeat(9_000)],
      [trade(2, 100, { version: 2, status: 'cancelled' }), heartbeat(70_000)],
    ]
    const metrics: string[] = []
    for (const [at, step] of steps.entries()) {
      await using aggregator = startAggregator(log)
      await log.append(step)
      const expected = await candlesInOnePass(log)
      const candles = await candlesWhenComplete(log, expected.flat().length)
      expect(candles, `step ${at}: ${aggregator.output}`).toEqual(expected)
      metrics.push(await metricsOf(aggregator))
      await aggregator.stop(at % 2 === 0 ? 'SIGKILL' : 'SIGTERM')
    }
    // The correction within its window.
    expect(metrics[2]).toMatch(/aggregator_reread_seconds_count\{[^}]*\} [1-9]/)
    expect(metrics[2]).toMatch(/aggregator_revisions_total\{[^}]*interval="1s"[^}]*\} 1/)
    const first = (await readRecords(log, 'candles'))
      .flat()
      .filter(({ interval, windowStart }) => interval === '1s' && windowStart % 60_000 === 0)
    expect(first.map(({ revision, tradeCount }) => [revision, tradeCount])).toEqual([
      [0, 2],
      [1, 3],
      [2, 3],
      [3, 2],
      [4, 1],
      [5, 0],
    ])
  })

  it('knows trades without sequences by their ids, repeated or corrected', async () => {
    await using log = await createMarketLog()
    await using aggregator = startAggregator(log)
    const price = { mantissa: 7, exponent: 4 }
    const plain = (number: number, afterMs: number, version = 0) =>
      trade(number, afterMs, { sequence: null, version, ...(version > 0 ? { price } : {}) })
    await log.append([plain(1, 0), plain(2, 100), plain(3, 1_000), heartbeat(5_000)])
    await waitUntil(
      'both windows',
      async () => (await readRecords(log, 'candles')).flat().length > 1,
    )
    await log.append([plain(1, 0), plain(2, 100, 1), plain(4, 200), heartbeat(6_000)])
    await log.append([plain(4, 200), plain(3, 1_000, 1), heartbeat(7_000)])
    const expected = await candlesInOnePass(log)
    const candles = await candlesWhenComplete(log, expected.flat().length)
    expect(candles, aggregator.output).toEqual(expected)
    expect(candles.flat().map(({ revision, tradeCount }) => [revision, tradeCount])).toEqual([
      [0, 2],
      [0, 1],
      [1, 3],
      [1, 1],
    ])
    expect(await metricsOf(aggregator)).toMatch(
      /aggregator_records_total\{[^}]*outcome="duplicate"[^}]*\} 2/,
    )
  })

  it('with a gap is kept until the gap is filled, and says so', async () => {
    await using log = await createMarketLog()
    await using aggregator = startAggregator(log, { AGGREGATOR_HORIZON_MS: '0' })
    await log.append([trade(1, 0), gap('open', 1_000, 3_000), trade(4, 4_000), heartbeat(200_000)])
    await revisionWhere(log, ({ interval, quality }) => interval === '1m' && quality === 'gap')
    await log.append([trade(2, 1_000), trade(3, 2_000), gap('backfilled', 1_000, 3_000)])
    await log.append([heartbeat(201_000)])
    const filled = await revisionWhere(
      log,
      ({ interval, tradeCount }) => interval === '1m' && tradeCount === 4,
    )
    expect(filled, aggregator.output).toMatchObject({ revision: 1, quality: 'partial' })
  })
})

it('a record that contradicts its identity is rejected as a conflict, one that repeats it is dropped', async () => {
  await using log = await createMarketLog()
  await using aggregator = startAggregator(log)
  await log.append([trade(1, 0), trade(1, 0, { receivedAt: Date.UTC(2026, 0, 5) + 99 })])
  await log.append([trade(1, 0, { price: { mantissa: 1, exponent: 0 } })])
  await log.append([trade(2, 0, { quantity: { mantissa: -1, exponent: 0 } })])
  await log.append([trade(3, 60_000, { receivedAt: Date.UTC(2026, 0, 5) }), heartbeat(5_000)])
  await waitUntil('the candle', async () => (await readRecords(log, 'candles')).flat().length > 0)
  const reasons = (await readTopic(log, 'rejected'))
    .flat()
    .map(({ headers }) => rejectedOrigin(headers).reason)
  expect(reasons, aggregator.output).toEqual(['conflict', 'invalid', 'future'])
  const metrics = await metricsOf(aggregator)
  for (const outcome of ['accepted', 'duplicate', ...reasons]) {
    expect(metrics).toMatch(
      new RegExp(`aggregator_records_total\\{[^}]*outcome="${outcome}"[^}]*\\} [1-9]`),
    )
  }
})
