import { fileURLToPath } from 'node:url'

import { describe, expect, it } from 'vitest'

import { partitionOf } from '@tickertape/kafka-avro'
import type { Candle } from '@tickertape/market-model'
import { ServiceProcess, waitUntil } from '@tickertape/testing'

import { candlesWhenComplete, startAggregator } from './aggregator-process.ts'
import { deleteRecords } from './broker-surgery.ts'
import {
  createMarketLog,
  heartbeat,
  partitions,
  readRecords,
  stretch,
  trade,
} from './market-log.ts'
import type { MarketLog } from './market-log.ts'
import { candlesInOnePass } from './one-pass.ts'

const main = fileURLToPath(new URL('../src/rebuild-main.ts', import.meta.url))
const base = Date.UTC(2026, 0, 5)
/** Where the test's trades are. */
const partition = partitionOf('deribit:BTC-PERPETUAL', partitions)

/** `npm run rebuild`, times in ms after the log's beginning. */
function startRebuild(log: MarketLog, fromMs: number, toMs?: number): ServiceProcess {
  const time = (afterMs: number) => new Date(base + afterMs).toISOString()
  const to = toMs === undefined ? [] : ['--to', time(toMs)]
  const { AGGREGATOR_ADMIN_PORT: _, ...environment } = log.environment
  return ServiceProcess.start({ main, arguments: ['--from', time(fromMs), ...to], environment })
}

function rebuiltOnly(candles: readonly Candle[]): readonly Candle[] {
  return candles.filter(({ rebuildId }) => rebuildId !== null)
}

describe('a rebuild', () => {
  it('counts a trade that came after its window was forgotten, in the range and nowhere else', async () => {
    await using log = await createMarketLog()
    await using aggregator = startAggregator(log, { AGGREGATOR_HORIZON_MS: '0' })
    await log.append([trade(1, 0), trade(3, 5_000), trade(4, 61_000), heartbeat(180_000)])
    await log.append([trade(2, 1_000), trade(5, 62_000), trade(6, 181_000), heartbeat(185_000)])
    await waitUntil('the last window', async () =>
      (await readRecords(log, 'candles')).flat().some(({ firstSequence }) => firstSequence === 6),
    )
    await using rebuild = startRebuild(log, 0, 60_000)
    expect(await rebuild.exited(), rebuild.output + aggregator.output).toBe(0)
    const candles = (await readRecords(log, 'candles')).flat()
    const rebuilt = rebuiltOnly(candles).filter(({ tradeCount }) => tradeCount > 0)
    const summary = rebuilt.map(({ interval, windowStart, tradeCount }) =>
      [interval, (windowStart - base) / 1_000, tradeCount].join(' '),
    )
    expect(summary, rebuild.output).toEqual(['1s 0 1', '1s 1 1', '1s 5 1', '1m 0 3'])
    expect(rebuild.output).toContain('1s 3, 1m 1')
    // What follows is not the rebuild's.
    await log.append([trade(7, 186_000), heartbeat(190_000)])
    const next = await waitUntil('the next window', async () =>
      (await readRecords(log, 'candles')).flat().find(({ firstSequence }) => firstSequence === 7),
    )
    expect(next.rebuildId).toBeNull()
  })

  // A copy whose window was forgotten when it came was applied before the record that it is a copy of.
  it('counts the first record of a trade, whatever a late copy says; a late correction counts', async () => {
    await using log = await createMarketLog()
    await using aggregator = startAggregator(log, { AGGREGATOR_HORIZON_MS: '0' })
    const priced = (tradeId: string, mantissa: number, version = 0) =>
      trade(0, 0, { tradeId, sequence: null, version, price: { mantissa, exponent: 0 } })
    // The sequenced trades say where the windows are, and that the instrument is known.
    await log.append([priced('copied', 11), priced('corrected', 12), trade(1, 61_000)])
    await log.append([heartbeat(180_000), priced('copied', 99), priced('corrected', 15, 1)])
    // Twice late: the first of both counts.
    await log.append([priced('late', 14), priced('late', 98), trade(2, 181_000)])
    await log.append([heartbeat(185_000)])
    await waitUntil('the last window', async () =>
      (await readRecords(log, 'candles')).flat().some(({ firstSequence }) => firstSequence === 2),
    )
    await using rebuild = startRebuild(log, 0, 60_000)
    expect(await rebuild.exited(), rebuild.output + aggregator.output).toBe(0)
    const candles = rebuiltOnly((await readRecords(log, 'candles')).flat())
    const first = candles.find(({ interval, tradeCount }) => interval === '1s' && tradeCount > 0)
    expect(first, rebuild.output).toMatchObject({
      tradeCount: 3,
      low: { mantissa: 11, exponent: 0 },
      high: { mantissa: 15, exponent: 0 },
    })
  })

  it('is not asked for where the log does not reach back far enough', async () => {
    await using log = await createMarketLog()
    await log.append([trade(1, 0), trade(2, 1_000), heartbeat(5_000)])
    await deleteRecords(log, 'market-events', partition, 1)
    await using rebuild = startRebuild(log, 0)
    expect(await rebuild.exited()).toBe(1)
    expect(rebuild.output).toContain(
      `${log.prefix}market-events [${partition}] begins at offset 1, appended at 20`,
    )
    expect((await readRecords(log, 'market-events')).flat().map(({ type }) => type)).not.toContain(
      'Rebuild',
    )
  })

  it('that would take too much memory is refused, and the partition goes on', async () => {
    await using log = await createMarketLog()
    const settings = { AGGREGATOR_HORIZON_MS: '0', AGGREGATOR_MAX_OPEN_TRADES: '5' }
    await using aggregator = startAggregator(log, settings)
    const late = Array.from({ length: 10 }, (_, at) => trade(at + 2, at))
    await log.append([trade(1, 60_500), heartbeat(180_000), ...late, heartbeat(181_000)])
    await using rebuild = startRebuild(log, 0)
    expect(await rebuild.exited(), rebuild.output).toBe(0)
    expect(rebuild.output).toContain(`partition ${partition}: 0 candles`)
    expect(aggregator.output).toContain(
      'rebuild refused: more than 5 records since offset 0 are late',
    )
    await log.append([trade(20, 182_000), heartbeat(190_000)])
    await waitUntil('the next window', async () =>
      (await readRecords(log, 'candles')).flat().some(({ firstSequence }) => firstSequence === 20),
    )
  })

  it('gives the same candles again where nothing was late, kill -9 in its midst or not', async () => {
    await using log = await createMarketLog()
    const settings = { AGGREGATOR_COMMIT_RECORDS: '200' }
    let aggregator = startAggregator(log, settings)
    try {
      await log.append([...stretch(0, 300_000, 16), heartbeat(310_000)])
      const expected = await candlesInOnePass(log)
      const before = await candlesWhenComplete(log, expected.flat().length)
      await using rebuild = startRebuild(log, 0)
      for (let kill = 0; kill < 3; kill += 1) {
        const seen = rebuiltOnly((await readRecords(log, 'candles')).flat()).length
        await waitUntil('progress of the rebuild', async () => {
          const now = rebuiltOnly((await readRecords(log, 'candles')).flat()).length
          return now > seen || !rebuild.running
        })
        await aggregator.stop('SIGKILL')
        aggregator = startAggregator(log, settings)
      }
      expect(await rebuild.exited(), rebuild.output).toBe(0)
      const after = await readRecords(log, 'candles')
      const rebuilt = after.map((candles) =>
        rebuiltOnly(candles).map((candle) => ({ ...candle, rebuildId: null })),
      )
      expect(rebuilt).toEqual(before)
    } finally {
      await aggregator.stop('SIGTERM')
    }
  })
})
