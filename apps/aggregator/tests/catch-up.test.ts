import { expect, it } from 'vitest'

import { waitUntil } from '@tickertape/testing'

import { candlesWhenComplete, startAggregator } from './aggregator-process.ts'
import { createMarketLog, heartbeat, instruments, readRecords, trade } from './market-log.ts'
import { candlesInOnePass, defaultSettings } from './one-pass.ts'

const dayMs = 86_400_000

it('one heartbeat that closes two weeks goes out in chunks, and kill -9 between them changes nothing', async () => {
  await using log = await createMarketLog()
  const settings = { AGGREGATOR_QUIET_SPAN_MS: String(30 * dayMs) }
  await log.append(instruments.map((instrument, at) => trade(1, at, { instrument })))
  await log.append([heartbeat(2_000), heartbeat(14 * dayMs), trade(2, 14 * dayMs + 500)])
  await log.append([heartbeat(14 * dayMs + 120_000)])
  const expected = await candlesInOnePass(log, { ...defaultSettings, quietSpanMs: 30 * dayMs })
  let aggregator = startAggregator(log, settings)
  try {
    for (let kill = 0; kill < 2; kill += 1) {
      const seen = (await readRecords(log, 'candles')).flat().length
      await waitUntil('a chunk', async () => {
        return (await readRecords(log, 'candles')).flat().length > seen
      })
      await aggregator.stop('SIGKILL')
      aggregator = startAggregator(log, settings)
    }
    const candles = await candlesWhenComplete(log, expected.flat().length)
    expect(candles, aggregator.output).toEqual(expected)
  } finally {
    await aggregator.stop('SIGTERM')
  }
})
