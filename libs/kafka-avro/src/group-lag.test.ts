import { expect, it } from 'vitest'

import { GroupLag } from './group-lag.ts'
import type { KnownEnds } from './group-lag.ts'
import type { LogRecord } from './log-reader.ts'

const topic = 'candles'
const began = 1_000_000

/** What a reader knows of the one partition. */
function ends(end: number | undefined, readUpTo = 0): KnownEnds {
  return { lastKnownEnd: () => end, readUpTo: () => readUpTo }
}

function record(offset: number): LogRecord {
  return { topic, partition: 0, offset, value: null }
}

function lagFrom(offset: number): GroupLag {
  const lag = new GroupLag()
  lag.begin([{ topic, partition: 0, offset }])
  return lag
}

function lagOf(lag: GroupLag, known: KnownEnds, now: number) {
  const [first] = lag.lags(known, now)
  return first && [first.records, first.seconds]
}

it('what is read and not committed is behind, and pending', () => {
  const lag = lagFrom(10)
  lag.read([record(10), record(11)])
  expect(lag.pending).toBe(2)
  expect(lagOf(lag, ends(12, 12), began)).toEqual([2, 0])
  lag.committed({ topic, partition: 0, offset: 12 }, began)
  expect(lag.pending).toBe(0)
  expect(lagOf(lag, ends(12, 12), began + 5_000)).toEqual([0, 0])
})

it('before the first commit what waits is as old as the first of it', () => {
  const lag = lagFrom(10)
  lag.read([
    { ...record(10), timestamp: began },
    { ...record(11), timestamp: began + 900 },
  ])
  expect(lagOf(lag, ends(12, 12), began + 1_000)).toEqual([2, 1])
})

it('what waits is as old as the record before it at most, or as the moment at which nothing was left', () => {
  const lag = lagFrom(10)
  lag.committed({ topic, partition: 0, offset: 12 }, began)
  expect(lagOf(lag, ends(15, 12), began + 8_000)).toEqual([3, 8])
  // An hour without a record does not make the next one an hour old.
  lag.look(ends(12, 12), began + 3_600_000)
  expect(lagOf(lag, ends(13, 12), began + 3_602_000)).toEqual([1, 2])
})

it('what waits grows older while nothing is read', () => {
  const lag = lagFrom(0)
  lag.look(ends(0), began)
  const ages = [1_000, 2_000, 90_000].map((ms) => lagOf(lag, ends(7), began + ms)?.[1])
  expect(ages).toEqual([1, 2, 90])
})

it('the marker of a transaction at the end is nothing that is left', () => {
  const lag = lagFrom(0)
  lag.read([record(0), record(1)])
  lag.committed({ topic, partition: 0, offset: 2 }, began)
  // The end is 3: the reader has passed the marker at 2, which is no record that could be committed.
  expect(lagOf(lag, ends(3, 3), began + 60_000)).toEqual([0, 0])
  expect(lagOf(lag, ends(4, 3), began + 60_000)).toEqual([2, 60])
})

it('nothing is told of a partition whose end is not known, and of none after the end', () => {
  const lag = lagFrom(0)
  expect(lag.lags(ends(undefined), began)).toEqual([])
  lag.end()
  expect(lag.lags(ends(9), began)).toEqual([])
  expect(lag.pending).toBe(0)
})
