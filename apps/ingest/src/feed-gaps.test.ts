import { expect, it } from 'vitest'

import { FeedGaps } from './feed-gaps.ts'
import { InstrumentDelivery } from './instrument-delivery.ts'
import { RecordingLog } from './testing/recording-log.ts'
import { described, gapsOf } from './testing/scripted-feed.ts'

const { signal } = new AbortController()

function given() {
  const recording = new RecordingLog()
  const { log } = recording
  const owner = { feedId: 'f', replicaId: 'a' }
  const gaps = new FeedGaps({ ...owner, log, remember: () => log.acknowledged() })
  const deliveryOf = (instrument: string): InstrumentDelivery => {
    const instrumentId = `sample:${instrument}`
    return new InstrumentDelivery({ ...owner, instrument, instrumentId, log, cursor: undefined })
  }
  /** A record for every partition once. */
  const told = (): readonly string[] => {
    const lines = gapsOf(recording).map(described)
    return lines.filter((line, at) => line !== lines[at - 1])
  }
  return { gaps, told, x: deliveryOf('X'), y: deliveryOf('Y') }
}

const daysAgo = { gapId: 'f|a|1000', fromTime: 1_000, toTime: 2_000 }

// X expired while F was open of it, and nobody wrote its cursor again: every restart took F for a gap of the whole feed
// that is still open, and told all instruments of one from days ago to now.
it('a gap of the feed that only an old cursor has is of its instrument alone', async () => {
  const { gaps, told, x, y } = given()
  gaps.restore(x, [daysAgo], 900_000)
  expect(gaps.openFrom).toBeUndefined()
  await gaps.declare({ fromTime: 900_000, toTime: 950_000 }, [x, y], false, signal)
  expect(told()).toEqual(['feed 900000-950000 open'])
  gaps.close(y, 'backfilled', undefined)
  gaps.close(x, 'unrecoverable', undefined)
  expect(told().slice(1)).toEqual([
    'sample:Y 900000-950000 backfilled',
    'sample:X 1000-2000 unrecoverable',
    'sample:X 900000-950000 unrecoverable',
    'feed 900000-950000 backfilled',
  ])
})

it('a gap of the feed that was open when its cursors were written is open still', async () => {
  const { gaps, told, x } = given()
  gaps.restore(x, [daysAgo], 1_000)
  expect(gaps.openFrom).toBe(1_000)
  await gaps.declare({ fromTime: 1_500, toTime: 9_000 }, [x], false, signal)
  expect(told()).toEqual(['feed 1000-9000 open'])
})

// The feed's gap closed as a whole then, and its record spoke for an instrument that had none of its own: trades that
// nobody had fetched counted as backfilled.
it('what is open of an instrument that leaves is lost before the gap of its feed closes', async () => {
  const { gaps, told, x, y } = given()
  await gaps.declare({ fromTime: 1_000, toTime: 2_000 }, [x, y], false, signal)
  gaps.close(y, 'backfilled', undefined)
  expect(gaps.forget(x, 5_000).map(described)).toEqual(['sample:X 1000-2000 unrecoverable'])
  expect(told().slice(1)).toEqual([
    'sample:Y 1000-2000 backfilled',
    'sample:X 1000-2000 unrecoverable',
    'feed 1000-2000 backfilled',
  ])
  expect(gaps.openFrom).toBeUndefined()
  expect(gaps.openOf(x)).toEqual([])
})

// Its gap stood open for a day, and for as long in its cursor.
it('what the venue refused of an instrument ends when it leaves', async () => {
  const { gaps, told, x } = given()
  await gaps.darken([x], 1_000, signal)
  gaps.forget(x, 5_000)
  expect(told()).toEqual(['sample:X 1000-86401000 open', 'sample:X 1000-5000 unrecoverable'])
  expect(gaps.openOf(x)).toEqual([])
  expect(gaps.forget(x, 6_000)).toEqual([])
})
