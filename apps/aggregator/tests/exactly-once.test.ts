import { describe, expect, it } from 'vitest'

import { rejectedOrigin } from '@tickertape/kafka-avro'
import { repetitions, waitUntil } from '@tickertape/testing'

import { candlesWhenComplete, startAggregator } from './aggregator-process.ts'
import { createMarketLog, heartbeat, readRecords, readTopic, stretch, trade } from './market-log.ts'
import { candlesInOnePass } from './one-pass.ts'

const kills = repetitions({ short: 4, long: 25 })

describe('exactly once', () => {
  it('kill -9 at any moment neither loses, doubles nor reorders a candle', async () => {
    await using log = await createMarketLog()
    let aggregator = startAggregator(log)
    const seconds = 30
    try {
      for (let kill = 0; kill < kills; kill += 1) {
        const from = kill * seconds * 1_000
        const half = from + (seconds * 1_000) / 2
        await log.append(stretch(from, half, 400))
        const before = await readRecords(log, 'candles')
        await log.append(stretch(half, from + seconds * 1_000, 400))
        // In the middle of the work on what was just written.
        await waitUntil('progress', async () => {
          const now = await readRecords(log, 'candles')
          return now.flat().length > before.flat().length
        })
        await aggregator.stop('SIGKILL')
        aggregator = startAggregator(log)
      }
      await log.append([heartbeat(kills * seconds * 1_000 + 120_000)])
      const expected = await candlesInOnePass(log)
      const candles = await candlesWhenComplete(log, expected.flat().length)
      expect(candles).toEqual(expected)
    } finally {
      await aggregator.stop('SIGTERM')
    }
    const trades = (await readRecords(log, 'market-events'))
      .flat()
      .filter(({ type }) => type === 'Trade')
    const counted = (await readRecords(log, 'candles'))
      .flat()
      .filter(({ interval }) => interval === '1m')
    expect(counted.reduce((sum, { tradeCount }) => sum + tradeCount, 0)).toBe(trades.length)
  })

  it.each(['fetch', 'librdkafka'])(
    'SIGTERM drains: the next instance goes on where it stopped, reading by %s',
    async (reader) => {
      await using log = await createMarketLog()
      const first = startAggregator(log, { AGGREGATOR_READER: reader })
      await log.append(stretch(0, 10_000, 100))
      await waitUntil('candles', async () => (await readRecords(log, 'candles')).flat().length > 4)
      expect(await first.stop('SIGTERM'), first.output).toBe(0)
      await log.append(stretch(10_000, 20_000, 100))
      await log.append([heartbeat(140_000)])
      await using second = startAggregator(log, { AGGREGATOR_READER: reader })
      const expected = await candlesInOnePass(log)
      expect(await candlesWhenComplete(log, expected.flat().length), second.output).toEqual(
        expected,
      )
    },
  )

  it('bytes that cannot be read, and trades that come too late, go to rejected and stop nothing', async () => {
    await using log = await createMarketLog()
    // The window of the second trade is forgotten with its minute.
    await using aggregator = startAggregator(log, { AGGREGATOR_HORIZON_MS: '0' })
    await log.append([trade(1, 0), heartbeat(62_000), trade(2, 100)])
    await log.appendBytes(0, Buffer.from('no Avro'))
    await log.append([trade(3, 63_000), heartbeat(70_000)])
    await waitUntil('the last window', async () =>
      (await readRecords(log, 'candles')).flat().some(({ firstSequence }) => firstSequence === 3),
    )
    const rejected = (await readTopic(log, 'rejected'))
      .flat()
      .map(({ headers }) => rejectedOrigin(headers))
    expect(rejected.map(({ reason }) => reason).toSorted(), aggregator.output).toEqual([
      'late',
      'undecodable',
    ])
    expect(rejected.every(({ stage }) => stage === 'aggregator')).toBe(true)
  })
})
