import type { FeedCursor } from '@tickertape/market-model'
import { expect, it } from 'vitest'

import { firstSequenceSince } from './history-search.ts'
import { importHistory } from './import-history.ts'
import { ImportedInstrument } from './imported-instrument.ts'
import { RestError } from './rest-client.ts'
import { RecordingLog } from './testing/recording-log.ts'
import { ScriptedHistory } from './testing/scripted-history.ts'
import type { ScriptedHistoryOptions } from './testing/scripted-history.ts'

const { signal } = new AbortController()

function given(past: Partial<ScriptedHistoryOptions>, cursor?: FeedCursor) {
  const recording = new RecordingLog()
  const history = new ScriptedHistory(past)
  const imported = new ImportedInstrument({
    feedId: 'import',
    instrument: 'X',
    instrumentId: 'sample:X',
    log: recording.log,
    cursor,
  })
  /** In seconds, of which each has the trade with its number. */
  const run = (from: number, to: number) =>
    importHistory(
      {
        imported,
        history,
        log: recording.log,
        fromTime: from * 1000,
        toTime: to * 1000,
        tries: 3,
        backoff: { firstMs: 1, maxMs: 1 },
        onProgress: () => undefined,
        onFailure: () => undefined,
      },
      signal,
    )
  const heartbeats = () =>
    recording.events.flatMap(({ type, value }) => (type === 'FeedHeartbeat' ? [value.upTo] : []))
  const gaps = () =>
    recording.events.flatMap(({ type, value }) => (type === 'SequenceGap' ? [value] : []))
  const cursors = () =>
    recording.records
      .filter(({ topic }) => topic === 'feed-cursors')
      // As the recording log has written it.
      .map(({ value }) => JSON.parse(String(value)) as FeedCursor)
  return { recording, history, imported, run, heartbeats, gaps, cursors }
}

it.each([
  [1, { sequence: 1, eventTime: 1_000, isWhole: true }],
  [37, { sequence: 37, eventTime: 37_000, isWhole: true }],
  [99, { sequence: 99, eventTime: 99_000, isWhole: true }],
  [100, { sequence: 100, eventTime: 100_000, isWhole: true }],
  [101, undefined],
])('finds where the history reaches second %i', async (second, found) => {
  const { history } = given({ last: 100 })
  expect(await firstSequenceSince(history, 'X', second * 1000, signal)).toEqual(found)
})

it('writes the trades of the range, the end exclusive, and vouches for it in the end', async () => {
  const { recording, run, heartbeats, gaps, imported } = given({ last: 100 })
  await run(10, 20)
  expect(recording.sequences).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19])
  expect(imported.counts.delivered).toBe(10)
  expect(heartbeats().at(-1)).toBe(20_000)
  expect(heartbeats()).toEqual(heartbeats().toSorted((one, other) => one - other))
  expect(gaps()).toEqual([])
})

it('no heartbeat is ahead of the trades that are written before it', async () => {
  const { recording, run } = given({ last: 100 })
  await run(10, 30)
  let upTo = 0
  const lies = recording.events.filter(({ type, value }) => {
    if (type === 'FeedHeartbeat') upTo = value.upTo
    return type === 'Trade' && value.eventTime <= upTo
  })
  expect(upTo).toBe(30_000)
  expect(lies).toEqual([])
})

it('goes on behind the cursor of an earlier run', async () => {
  const first = given({ last: 100 })
  await first.run(10, 20)
  const second = given({ last: 100 }, first.cursors().at(-2))
  await second.run(10, 20)
  const { sequence = null } = first.cursors().at(-2) ?? {}
  expect(second.recording.sequences[0]).toBe((sequence ?? 0) + 1)
  expect(second.recording.sequences.at(-1)).toBe(19)
  const third = given({ last: 100 }, second.cursors().at(-1))
  await third.run(10, 20)
  expect(third.recording.sequences).toEqual([])
})

it('what the venue no longer has of the range is told as a gap', async () => {
  const { recording, run, gaps } = given({ first: 15, last: 100 })
  await run(10, 20)
  expect(recording.sequences[0]).toBe(15)
  expect(gaps()).toMatchObject([{ fromTime: 10_000, toTime: 15_000, state: 'unrecoverable' }])
})

it('a range without trades is vouched for', async () => {
  const { recording, run, heartbeats } = given({ last: 5 })
  await run(10, 20)
  expect(recording.sequences).toEqual([])
  expect(heartbeats().at(-1)).toBe(20_000)
})

it('waits out failures, and stops with what to do where they do not end', async () => {
  let failures = 2
  const { recording, run } = given({
    last: 100,
    before: () => {
      failures -= 1
      if (failures >= 0) throw new RestError('unavailable', 'away')
    },
  })
  await run(10, 20)
  expect(recording.sequences).toHaveLength(10)
  failures = 100
  const other = given({
    last: 100,
    before: () => {
      throw new RestError('rate_limited', 'too many')
    },
  })
  await expect(other.run(10, 20)).rejects.toThrow('The same command goes on')
  const refused = given({
    last: 100,
    before: () => {
      throw new RestError('refused', 'no such symbol')
    },
  })
  await expect(refused.run(10, 20)).rejects.toThrow('The venue refuses the history of X')
})
