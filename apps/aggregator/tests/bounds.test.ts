import { describe, expect, it } from 'vitest'

import { waitUntil } from '@tickertape/testing'

import { candlesWhenComplete, metricsOf, startAggregator } from './aggregator-process.ts'
import { createMarketLog, heartbeat, readRecords, readTopic, trade } from './market-log.ts'
import { candlesInOnePass } from './one-pass.ts'

const many = 20_000

describe('memory', () => {
  it('of trades whose feed sends no heartbeats is bounded: the partition pauses, sets windows aside and goes on', async () => {
    await using log = await createMarketLog()
    await using aggregator = startAggregator(log, { AGGREGATOR_MAX_OPEN_TRADES: '500' })
    const trades = Array.from({ length: many }, (_, at) => trade(at + 1, at * 2))
    await log.append(trades)
    await waitUntil('a pause', async () =>
      /aggregator_pauses_total\{[^}]*\} [1-9]/.test(await metricsOf(aggregator)),
    )
    await log.append([heartbeat(200_000)])
    const expected = await candlesInOnePass(log)
    const candles = await candlesWhenComplete(log, expected.flat().length)
    expect(candles, aggregator.output).toEqual(expected)
  })
})

describe('a flood of rejected records', () => {
  it('is in the topic and in the metrics to the last record, and in a few lines of the log', async () => {
    await using log = await createMarketLog()
    await using aggregator = startAggregator(log)
    const early = { receivedAt: 0 }
    const flood = Array.from({ length: many }, (_, at) => trade(at + 1, at, early))
    await log.append([...flood, trade(1, 0), heartbeat(5_000)])
    await waitUntil('the candle', async () => (await readRecords(log, 'candles')).flat().length > 0)
    expect((await readTopic(log, 'rejected')).flat()).toHaveLength(many)
    expect(await metricsOf(aggregator)).toMatch(
      new RegExp(`aggregator_rejected_total\\{[^}]*reason="future"[^}]*\\} ${many}`),
    )
    const lines = aggregator.output.split('\n').filter((line) => line.includes('record rejected'))
    expect(lines.length).toBeGreaterThan(0)
    expect(lines.length).toBeLessThan(30)
  })
})
