import { expect, it } from 'vitest'

import { PartitionAggregation } from '@tickertape/candles'
import type { StoredWindowCodec } from '@tickertape/candles'
import { partitionOf } from '@tickertape/kafka-avro'
import type { MarketEvent, StoredWindow } from '@tickertape/market-model'
import { waitUntil } from '@tickertape/testing'

import { RestError } from './rest-client.ts'
import type { RecordingLog } from './testing/recording-log.ts'
import { sampleTrade, sampleTrades } from './testing/sample-trade.ts'
import {
  described,
  gapsOf,
  heartbeat,
  heartbeatsOf,
  scriptedFeed,
} from './testing/scripted-feed.ts'

const codec: StoredWindowCodec = {
  encode: (window) => Buffer.from(JSON.stringify(window)),
  // As `encode` has written it; trades with sequences keep no bytes of their ids.
  decode: (bytes) => JSON.parse(Buffer.from(bytes).toString()) as StoredWindow,
}

/** What the aggregator makes of X's minutes by this log: start in seconds, quality, revision, trades. */
function minutesOf(recording: RecordingLog): readonly string[] {
  const aggregation = new PartitionAggregation(
    {
      graceMs: 1_000,
      futureToleranceMs: 5_000,
      horizonMs: 60_000,
      intervals: ['1s', '1m'],
      indicators: [],
    },
    codec,
  )
  const partition = partitionOf('sample:X', 2)
  return recording.records
    .filter((record) => record.topic === 'market-events' && record.partition === partition)
    .flatMap(({ value }, offset) => {
      // As the recording log has written it.
      const event = JSON.parse(String(value)) as MarketEvent
      return aggregation.apply(event, offset).candles
    })
    .filter(({ interval }) => interval === '1m')
    .map(
      ({ quality, revision, tradeCount, windowStart }) =>
        `${windowStart / 1_000} ${quality} ${revision}: ${tradeCount}`,
    )
}

it('minutes that an absence touches are backfilled where the history tells at once', async () => {
  const feed = scriptedFeed()
  const { history, recording, scripted } = feed
  scripted.times = [10_900]
  const ended = feed.connect()
  await heartbeat(recording)
  scripted.frame(...sampleTrades(11, 62))
  scripted.times = [65_000]
  await waitUntil('heartbeats', () => heartbeatsOf(recording).at(-1)?.upTo === 64_800)
  scripted.cut('scripted cut')
  await ended
  history.options.last = 125
  scripted.times = [125_000]
  void feed.connect()
  await waitUntil('the end', () => gapsOf(recording).at(-1)?.state === 'backfilled')
  scripted.times = [190_000]
  await waitUntil('heartbeats', () => heartbeatsOf(recording).at(-1)?.upTo === 189_800)
  expect(minutesOf(recording)).toEqual([
    '0 partial 0: 49',
    '60 backfilled 0: 60',
    '120 backfilled 0: 6',
  ])
})

// The whole road of a gap: heartbeats go on, the minute closes with what there is, is held open for what
// was missing however late that comes, and is revised by it.
it('minutes that heartbeats pass while something is missing have quality gap, then backfilled', async () => {
  let isOpen = true
  const feed = scriptedFeed({
    settings: { INGEST_HOLE_WAIT_MS: '300' },
    history: {
      before: () => {
        if (!isOpen) throw new RestError('unavailable', 'scripted')
      },
    },
  })
  const { history, recording, scripted } = feed
  scripted.times = [10_900]
  const ended = feed.connect()
  await heartbeat(recording)
  scripted.frame(...sampleTrades(11, 62))
  scripted.times = [65_000]
  await waitUntil('heartbeats', () => heartbeatsOf(recording).at(-1)?.upTo === 64_800)
  isOpen = false
  scripted.cut('scripted cut')
  await ended
  history.options.last = 124
  scripted.times = [125_000]
  void feed.connect()
  await waitUntil('the connection', () => scripted.subscriptions === 2)
  scripted.frame(sampleTrade(125))
  // Far beyond the horizon of the minute that has not come.
  scripted.times = [400_000]
  await waitUntil('heartbeats', () => heartbeatsOf(recording).at(-1)?.upTo === 399_800)
  expect(minutesOf(recording)).toEqual([
    '0 partial 0: 49',
    '60 gap 0: 3',
    '120 gap 0: 1',
    '180 quiet 0: 0',
    '240 quiet 0: 0',
    '300 quiet 0: 0',
  ])
  isOpen = true
  await waitUntil('the end', () =>
    gapsOf(recording).map(described).includes('feed 64800-125000 backfilled'),
  )
  await heartbeat(recording)
  expect(minutesOf(recording).slice(6)).toEqual(['60 backfilled 1: 60', '120 backfilled 1: 6'])
})

it('a minute whose trades nobody has any more keeps quality gap', async () => {
  const feed = scriptedFeed()
  const { history, recording, scripted } = feed
  scripted.times = [10_900]
  void feed.connect()
  await heartbeat(recording)
  scripted.frame(...sampleTrades(11, 61))
  history.options.last = 62
  history.options.first = 70
  scripted.frame(sampleTrade(63))
  await waitUntil('the verdict', () => gapsOf(recording).at(-1)?.state === 'unrecoverable')
  scripted.times = [130_000]
  await waitUntil('heartbeats', () => heartbeatsOf(recording).at(-1)?.upTo === 129_800)
  expect(minutesOf(recording).at(-1)).toBe('60 gap 0: 3')
})
