import { expect, it } from 'vitest'

import { waitUntil } from '@tickertape/testing'

import { candlesWhenComplete, startAggregator } from './aggregator-process.ts'
import { createMarketLog, heartbeat, readRecords, stretch } from './market-log.ts'
import { candlesInOnePass } from './one-pass.ts'

it('instances that join and leave hand partitions over without loss, duplicate or reorder', async () => {
  await using log = await createMarketLog()
  await using first = startAggregator(log, { AGGREGATOR_INSTANCE_ID: 'a' })
  await log.append(stretch(0, 20_000, 100))
  await waitUntil('candles', async () => (await readRecords(log, 'candles')).flat().length > 4)
  await using second = startAggregator(log, { AGGREGATOR_INSTANCE_ID: 'b' })
  // Before, during and after the rebalance.
  for (let from = 20_000; from < 40_000; from += 1_000)
    await log.append(stretch(from, from + 1_000, 100))
  await waitUntil('the second instance to own a partition', () =>
    /"partitions":\[\d\],.*state restored/.test(second.output),
  )
  await log.append(stretch(40_000, 50_000, 100))
  expect(await first.stop('SIGTERM'), first.output).toBe(0)
  await log.append([...stretch(50_000, 60_000, 100), heartbeat(180_000)])
  const expected = await candlesInOnePass(log)
  const candles = await candlesWhenComplete(log, expected.flat().length)
  expect(candles, first.output + second.output).toEqual(expected)
})

it('a third instance of two partitions is ready without any, and takes over when one leaves', async () => {
  await using log = await createMarketLog()
  const instances = ['a', 'b', 'c'].map((id) =>
    startAggregator(log, { AGGREGATOR_INSTANCE_ID: id }),
  )
  try {
    await log.append(stretch(0, 5_000, 100))
    await waitUntil('an instance without partitions', () =>
      instances.some(({ output }) => /"partitions":\[\],.*state restored/.test(output)),
    )
    await instances[0]?.stop('SIGTERM')
    await log.append([...stretch(5_000, 10_000, 100), heartbeat(130_000)])
    const expected = await candlesInOnePass(log)
    expect(await candlesWhenComplete(log, expected.flat().length)).toEqual(expected)
  } finally {
    for (const instance of instances) await instance.stop('SIGTERM')
  }
})

it('of two instances with one id the first one ends and says why, and nothing is lost or doubled', async () => {
  await using log = await createMarketLog()
  await using first = startAggregator(log)
  await log.append(stretch(0, 10_000, 100))
  await waitUntil('candles', async () => (await readRecords(log, 'candles')).flat().length > 4)
  await using second = startAggregator(log)
  // The first one notices at its next transaction.
  const feeding = new AbortController()
  const fed = (async () => {
    let at = 10_000
    for (; !feeding.signal.aborted; at += 500) {
      await log.append(stretch(at, at + 500, 100))
    }
    return at
  })()
  expect(await first.exited()).toBe(1)
  expect(first.output).toContain('AGGREGATOR_INSTANCE_ID')
  expect(first.output).toContain(`transactional id \\"${log.prefix}aggregator-0\\"`)
  feeding.abort()
  await log.append([heartbeat((await fed) + 120_000)])
  const expected = await candlesInOnePass(log)
  const candles = await candlesWhenComplete(log, expected.flat().length)
  expect(candles, second.output).toEqual(expected)
})
