import { expect, it } from 'vitest'

import { CursorWriter, vouchedUpTo } from './feed-cursors.ts'
import type { CursorFeed } from './feed-cursors.ts'
import { InstrumentDelivery } from './instrument-delivery.ts'
import { RecordingLog } from './testing/recording-log.ts'
import { sampleTrade, sampleTrades } from './testing/sample-trade.ts'

const owner = { feedId: 'f', replicaId: 'a' }

/** A feed that vouches for nothing yet. */
const untold: CursorFeed = {
  vouchedUpTo: undefined,
  vouchesFrom: () => undefined,
  openGaps: () => [],
}

function deliveryInto({ log }: RecordingLog, instrument = 'X'): InstrumentDelivery {
  const names = { instrument, instrumentId: `sample:${instrument}` }
  const delivery = new InstrumentDelivery({ ...owner, ...names, log, cursor: undefined })
  delivery.beginBehind(sampleTrade(10))
  return delivery
}

function cursorsIn(recording: RecordingLog): readonly unknown[] {
  return recording.records
    .filter(({ topic }) => topic === 'feed-cursors')
    .map(({ key, value }) => [key, value === null ? null : JSON.parse(String(value))])
}

it('a cursor is written only when everything before it is acknowledged, and stays what it was then', async () => {
  const recording = new RecordingLog()
  const delivery = deliveryInto(recording)
  const writer = new CursorWriter(owner, recording.log, untold)
  const counts = { delivered: 0, duplicates: 0, rejected: 0 }
  recording.holdBack()
  delivery.offer(sampleTrade(11), counts)
  const written = writer.write([delivery])
  delivery.offer(sampleTrade(12), counts)
  await Promise.resolve()
  expect(cursorsIn(recording)).toEqual([])
  recording.acknowledgeAll()
  await written
  const cursor = {
    ...owner,
    instrument: 'X',
    sequence: 11,
    eventTime: 11_000,
    tradeIds: [],
    upTo: null,
    vouchesFrom: null,
    openGaps: [],
  }
  expect(cursorsIn(recording)).toEqual([['f|a|X', cursor]])
})

it('a cursor that has not moved is not written again', async () => {
  const recording = new RecordingLog()
  const delivery = deliveryInto(recording)
  const writer = new CursorWriter(owner, recording.log, untold)
  await writer.write([delivery])
  await writer.write([delivery])
  expect(cursorsIn(recording).length).toBe(1)
})

it('the beginning of an instrument is a cursor before its first trade', async () => {
  const recording = new RecordingLog()
  const begun = deliveryInto(recording)
  const names = { instrument: 'NEW', instrumentId: 'sample:NEW' }
  const untraded = new InstrumentDelivery({
    ...owner,
    ...names,
    log: recording.log,
    cursor: undefined,
  })
  untraded.beginBehind(undefined)
  await new CursorWriter(owner, recording.log, untold).write([begun, untraded])
  expect(cursorsIn(recording)).toMatchObject([
    ['f|a|X', { sequence: 10, eventTime: 10_000 }],
    ['f|a|NEW', { sequence: null, eventTime: 0 }],
  ])
})

it('trades that wait behind a hole are behind no cursor', async () => {
  const recording = new RecordingLog()
  const delivery = deliveryInto(recording)
  const counts = { delivered: 0, duplicates: 0, rejected: 0 }
  for (const trade of sampleTrades(12, 20)) delivery.offer(trade, counts)
  await new CursorWriter(owner, recording.log, untold).write([delivery])
  expect(cursorsIn(recording)).toMatchObject([['f|a|X', { sequence: 10 }]])
})

it('what heartbeats vouch for is in the cursors, even where no instrument has moved', async () => {
  const recording = new RecordingLog()
  const delivery = deliveryInto(recording)
  const feed = { ...untold, vouchedUpTo: 9_000 }
  const writer = new CursorWriter(owner, recording.log, feed)
  await writer.write([delivery])
  feed.vouchedUpTo = 9_500
  await writer.write([delivery])
  await writer.write([delivery])
  const written = cursorsIn(recording)
  expect(written).toMatchObject([
    ['f|a|X', { sequence: 10, upTo: 9_000 }],
    ['f|a|X', { sequence: 10, upTo: 9_500 }],
  ])
})

// The cursor of an instrument that expired stayed as it was for ever, with gaps that were closed behind it: each
// process after this one read the instrument again, and took them for open.
it('the cursor of an instrument that is gone is taken away behind what was told of it', async () => {
  const recording = new RecordingLog()
  const [x, y] = [deliveryInto(recording), deliveryInto(recording, 'Y')]
  const feed = { ...untold, vouchedUpTo: 9_000 }
  const writer = new CursorWriter(owner, recording.log, feed)
  await writer.write([x])
  await writer.write([y])
  recording.holdBack()
  x.offer(sampleTrade(11), { delivered: 0, duplicates: 0, rejected: 0 })
  const written = writer.write([x, y])
  const forgotten = writer.forget(['X'])
  await Promise.resolve()
  expect(cursorsIn(recording).length).toBe(2)
  recording.acknowledgeAll()
  await Promise.all([written, forgotten])
  // What was about to be written does not bring it back.
  expect(cursorsIn(recording).slice(2)).toEqual([['f|a|X', null]])
  // Up to when the feed is vouched for may have stood in that one alone.
  await writer.write([y])
  expect(cursorsIn(recording).slice(3)).toMatchObject([['f|a|Y', { upTo: 9_000 }]])
  await writer.write([x, y])
  expect(cursorsIn(recording).slice(4)).toMatchObject([['f|a|X', { sequence: 11 }]])
})

// Nobody else writes it: the next process would find the same gaps open.
it('the cursor of an instrument that is not selected any more stands without open gaps', async () => {
  const recording = new RecordingLog()
  const place = { ...owner, instrument: 'Z', sequence: 1, eventTime: 5_000, tradeIds: [] }
  const openGaps = [{ gapId: 'f|a|4000', fromTime: 4_000, toTime: 5_000 }]
  const cursor = { ...place, upTo: 4_000, vouchesFrom: 3_000, openGaps }
  await new CursorWriter(owner, recording.log, untold).close([cursor])
  const closed = { ...place, upTo: 4_000, vouchesFrom: null, openGaps: [] }
  expect(cursorsIn(recording)).toEqual([['f|a|Z', closed]])
})

it('a feed was vouched for up to the latest of its cursors', () => {
  const cursor = { ...owner, instrument: 'X', sequence: 1, eventTime: 5_000, tradeIds: [] }
  expect(vouchedUpTo([])).toBeUndefined()
  expect(vouchedUpTo([{ ...cursor, eventTime: 0, upTo: null }])).toBeUndefined()
  expect(
    vouchedUpTo([
      { ...cursor, upTo: 7_000 },
      { ...cursor, upTo: 6_000 },
    ]),
  ).toBe(7_000)
  // Of a version that did not say: the last trade that it delivered.
  expect(vouchedUpTo([{ ...cursor, upTo: null }])).toBe(5_000)
})
