import { describe, expect, it } from 'vitest'

import { DecodeFailure, Deserializer, Registry } from '@tickertape/kafka-avro'
import type { Candle } from '@tickertape/market-model'
import { testStack, waitUntil } from '@tickertape/testing'

import { metricsOf, startAggregator } from './aggregator-process.ts'
import { deleteTopic } from './broker-surgery.ts'
import { createMarketLog, heartbeat, readRecords, readTopic, trade } from './market-log.ts'
import type { MarketLog } from './market-log.ts'

async function readLive(
  log: MarketLog,
): Promise<readonly { readonly key: string; readonly candle: Candle }[]> {
  const deserializer = new Deserializer(
    'candles-live',
    new Registry({ url: testStack().registryUrl }, log.prefix),
  )
  const messages = (await readTopic(log, 'candles-live')).flat()
  await deserializer.prepare(messages.map(({ value }) => value))
  return messages.map(({ key, value }) => {
    const candle = deserializer.deserialize(value)
    if (candle instanceof DecodeFailure) throw new Error(candle.message)
    return { key: String(key), candle }
  })
}

describe('candles in progress', () => {
  it('show what open windows come to, while nothing is final yet', async () => {
    await using log = await createMarketLog()
    await using aggregator = startAggregator(log)
    await log.append([trade(1, 61_000), heartbeat(61_000)])
    const live = await waitUntil('both intervals', async () => {
      const found = await readLive(log)
      return found.some(({ candle }) => candle.interval === '1m') && found
    })
    expect(live.every(({ candle }) => !candle.final && candle.tradeCount === 1)).toBe(true)
    expect(new Set(live.map(({ key }) => key))).toEqual(new Set(['deribit:BTC-PERPETUAL']))
    expect((await readRecords(log, 'candles')).flat(), aggregator.output).toEqual([])
    await log.append([trade(2, 61_500)])
    await waitUntil('the second trade', async () =>
      (await readLive(log)).some(({ candle }) => candle.tradeCount === 2),
    )
  })

  it('come no more often than they are wanted', async () => {
    await using log = await createMarketLog()
    await using aggregator = startAggregator(log, { AGGREGATOR_LIVE_INTERVAL_MS: '3600000' })
    await log.append([trade(1, 0)])
    await waitUntil('the first', async () => (await readLive(log)).length > 0)
    const first = (await readLive(log)).length
    for (let sequence = 2; sequence < 30; sequence += 1) {
      await log.append([trade(sequence, sequence * 10)])
    }
    await log.append([heartbeat(5_000)])
    await waitUntil('the candle', async () => (await readRecords(log, 'candles')).flat().length > 0)
    expect(await readLive(log), aggregator.output).toHaveLength(first)
  })

  it('are not written where they are not wanted', async () => {
    await using log = await createMarketLog()
    await using aggregator = startAggregator(log, { AGGREGATOR_LIVE_INTERVAL_MS: '0' })
    await log.append([trade(1, 0), heartbeat(500), trade(2, 900), heartbeat(5_000)])
    await waitUntil('the candle', async () => (await readRecords(log, 'candles')).flat().length > 0)
    expect(await readLive(log), aggregator.output).toEqual([])
  })

  it('stop nothing when they cannot be written', async () => {
    await using log = await createMarketLog()
    await using aggregator = startAggregator(log)
    await log.append([trade(1, 0)])
    await waitUntil('the first', async () => (await readLive(log)).length > 0)
    await deleteTopic(log, 'candles-live')
    for (let second = 1; second < 40; second += 1) {
      await log.append([trade(second + 1, second * 1_000), heartbeat(second * 1_000)])
    }
    await waitUntil(
      'the candles',
      async () => (await readRecords(log, 'candles')).flat().length > 35,
    )
    await waitUntil('the failure to be counted', async () =>
      /aggregator_live_failures_total\{[^}]*\} [1-9]/.test(await metricsOf(aggregator)),
    )
    expect(aggregator.running, aggregator.output).toBe(true)
  })
})
