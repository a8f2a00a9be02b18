import { describe, expect, it } from 'vitest'

import { partitionOf, topicName, topicOffsets } from '@tickertape/kafka-avro'
import { testStack, waitUntil } from '@tickertape/testing'

import { startAggregator } from './aggregator-process.ts'
import { deleteGroup, deleteRecords, makeTopicAnew, moveOffset } from './broker-surgery.ts'
import { createMarketLog, heartbeat, partitions, readRecords, trade } from './market-log.ts'
import type { MarketLog } from './market-log.ts'

/** Where the test's trades are. */
const partition = partitionOf('deribit:BTC-PERPETUAL', partitions)

/** A log that was read to its end, with a closed window and an open one, by a service that has stopped. */
async function createReadLog(): Promise<MarketLog> {
  const log = await createMarketLog()
  await using aggregator = startAggregator(log)
  await log.append([trade(1, 0), heartbeat(5_000), trade(2, 6_000), trade(3, 6_100)])
  await waitUntil('a candle', async () => (await readRecords(log, 'candles')).flat().length > 0)
  expect(await aggregator.stop('SIGTERM'), aggregator.output).toBe(0)
  return log
}

async function writtenSoFar(log: MarketLog) {
  const { kafkaBrokers } = testStack()
  const ends = ['candles', 'rejected', 'aggregator-state'] as const
  return Promise.all(
    ends.map((topic) => topicOffsets({ brokers: kafkaBrokers }, topicName(topic, log.prefix))),
  )
}

/** Starts the service on what is left, and expects that it says so, stops, and has written nothing. */
async function expectRefusal(
  log: MarketLog,
  expected: readonly string[],
  settings: Record<string, string> = {},
): Promise<void> {
  const before = await writtenSoFar(log)
  await using aggregator = startAggregator(log, settings)
  expect(await aggregator.exited(), aggregator.output).toBe(1)
  for (const text of expected) expect(aggregator.output).toContain(text)
  expect(await writtenSoFar(log)).toEqual(before)
}

describe('the service says what is wrong and stops before it writes anything', () => {
  it('when its settings are others than those of the changelog', async () => {
    await using log = await createReadLog()
    await expectRefusal(log, [`${log.prefix}aggregator-state [`, 'graceMs is 2000, was 1000'], {
      AGGREGATOR_GRACE_MS: '2000',
    })
  })

  it('when the changelog was deleted', async () => {
    await using log = await createReadLog()
    await makeTopicAnew(log, 'aggregator-state')
    await expectRefusal(log, [
      `${log.prefix}aggregator-state [`,
      `is empty, but group ${log.prefix}aggregator has read`,
    ])
  })

  it('when the group was deleted', async () => {
    await using log = await createReadLog()
    await deleteGroup(log)
    await expectRefusal(log, [
      `of ${log.prefix}market-events [`,
      `but group ${log.prefix}aggregator has no offset there`,
    ])
  })

  it('when the offsets were moved back: the changelog is ahead', async () => {
    await using log = await createReadLog()
    await moveOffset(log, partition, (committed) => committed - 1)
    await expectRefusal(log, [
      `aggregator-state [${partition}] stands at offset 4 of ${log.prefix}market-events [${partition}], ahead of offset 3 of group`,
    ])
  })

  it('when the offsets were moved forward: the changelog is behind', async () => {
    await using log = await createReadLog()
    await log.append([trade(4, 7_000)])
    await moveOffset(log, partition, (committed) => committed + 1)
    await expectRefusal(log, [
      `aggregator-state [${partition}] stands at offset 4 of ${log.prefix}market-events [${partition}], behind offset 5 of group`,
    ])
  })

  it('when the log was made anew', async () => {
    await using log = await createReadLog()
    await makeTopicAnew(log, 'market-events')
    await expectRefusal(log, [
      `of ${log.prefix}market-events [`,
      'which ends at offset 0: the topic was deleted and made anew',
    ])
  })

  it('when records were deleted before they were read', async () => {
    await using log = await createReadLog()
    await log.append([trade(4, 7_000), trade(5, 7_100)])
    await deleteRecords(log, 'market-events', partition, 5)
    await expectRefusal(log, [
      `market-events [${partition}] begins at offset 5, but group ${log.prefix}aggregator has read only up to 4`,
    ])
  })

  it('when records were deleted that open windows hold', async () => {
    await using log = await createReadLog()
    await deleteRecords(log, 'market-events', partition, 3)
    await expectRefusal(log, [
      `market-events [${partition}] begins at offset 3, but open windows need it from 2`,
    ])
  })

  it('when the registry has an incompatible schema', async () => {
    await using log = await createMarketLog()
    const { registryUrl } = testStack()
    const foreign = {
      type: 'record',
      name: 'Candle',
      namespace: 'tickertape',
      fields: [{ name: 'shape', type: 'int' }],
    }
    const answer = await fetch(`${registryUrl}/subjects/${log.prefix}candles-value/versions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ schema: JSON.stringify(foreign) }),
    })
    expect(answer.status).toBe(200)
    await expectRefusal(log, [
      `schema of ${log.prefix}candles-value: it is not BACKWARD compatible`,
    ])
  })

  it('when topics are missing', async () => {
    await using log = await createMarketLog()
    await expectRefusal(log, ['no topic nowhere.market-events'], { TOPIC_PREFIX: 'nowhere.' })
  })
})

it('deleting offsets and changelog together computes everything anew', async () => {
  await using log = await createReadLog()
  await deleteGroup(log)
  await makeTopicAnew(log, 'aggregator-state')
  await makeTopicAnew(log, 'candles')
  await using aggregator = startAggregator(log)
  const candles = await waitUntil('a candle', async () => {
    const found = (await readRecords(log, 'candles')).flat()
    return found.length > 0 && found
  })
  expect(
    candles.map(({ firstSequence }) => firstSequence),
    aggregator.output,
  ).toEqual([1])
})
