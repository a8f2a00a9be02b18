import { expect, it } from 'vitest'

import { waitUntil } from '@tickertape/testing'

import { FeedGaps } from './feed-gaps.ts'
import { FeedRecovery } from './feed-recovery.ts'
import type { CaughtUp } from './hole-filler.ts'
import { RecordingLog } from './testing/recording-log.ts'
import { described, gapsOf } from './testing/scripted-feed.ts'
import { UnsequencedDelivery } from './unsequenced-delivery.ts'

const { signal } = new AbortController()

/** The recovery of one instrument without sequences, whose catch-ups end as the test says. */
function given(...answers: (CaughtUp | (() => CaughtUp))[]) {
  const recording = new RecordingLog()
  const names = { feedId: 'f', replicaId: 'a', instrument: 'X', instrumentId: 'sample:X' }
  const delivery = new UnsequencedDelivery({ ...names, cursor: undefined, log: recording.log })
  const gaps = new FeedGaps({
    feedId: 'f',
    replicaId: 'a',
    log: recording.log,
    remember: () => recording.log.acknowledged(),
  })
  const lost: string[] = []
  const recovery = new FeedRecovery({
    filler: {
      catchUp: async () => {
        await Promise.resolve()
        const answer = answers.shift() ?? { outcome: 'whole' }
        return typeof answer === 'function' ? answer() : answer
      },
      fill: () => Promise.resolve(),
    },
    gaps,
    events: {
      gapOpened: () => undefined,
      gaveUp: (gap) => lost.push(described(gap)),
      holeFound: () => undefined,
      passedOver: () => undefined,
      traded: () => undefined,
    },
    firstSequence: 0,
    buffer: 10,
    patienceMs: 1_000,
    venueTime: () => 9_000,
    signal,
  })
  const told = (): readonly string[] => gapsOf(recording).map(described)
  return {
    delivery,
    gaps,
    recovery,
    lost,
    told: () => told().filter((_line, at) => told()[at - 1] !== told()[at]),
  }
}

it('an absence of which the last trades prove nothing is lost, as far as they do not reach', async () => {
  const { delivery, gaps, recovery, lost, told } = given({
    outcome: 'lost',
    fromTime: 2_000,
    toTime: 5_001,
  })
  await gaps.declare({ fromTime: 1_900, toTime: 8_000 }, [delivery], false, signal)
  recovery.catchUp(delivery)
  await recovery.caughtUp()
  expect(lost).toEqual(['sample:X 2000-5001 unrecoverable'])
  expect(told()).toEqual([
    'feed 1900-8000 open',
    'sample:X 2000-5001 unrecoverable',
    'feed 1900-8000 backfilled',
  ])
})

it('what is lost without an absence is a gap of its own', async () => {
  const { delivery, recovery, told } = given({ outcome: 'lost', fromTime: 2_000, toTime: 5_001 })
  recovery.catchUp(delivery)
  await recovery.caughtUp()
  expect(told()).toEqual(['sample:X 2000-5001 open', 'sample:X 2000-5001 unrecoverable'])
})

it('what was missed during a catch-up is asked for by another one', async () => {
  let asked = 0
  const { delivery, gaps, recovery, told } = given(
    () => {
      asked += 1
      recovery.catchUp(delivery)
      return { outcome: 'whole' }
    },
    () => {
      asked += 1
      expect(told()).toEqual(['feed 1000-8000 open'])
      return { outcome: 'whole' }
    },
  )
  await gaps.declare({ fromTime: 1_000, toTime: 8_000 }, [delivery], false, signal)
  recovery.catchUp(delivery)
  await recovery.caughtUp()
  expect(asked).toBe(2)
  expect(told().at(-1)).toBe('feed 1000-8000 backfilled')
})

it('an instrument that is expected holds heartbeats until it is caught up with, or for a while', async () => {
  const { delivery, recovery, told } = given()
  recovery.expect(delivery)
  expect(recovery.incomplete([delivery], 1_000)).toEqual([undefined])
  expect(recovery.behind).toBe(1)
  // What may be missing is told, and known to the next process, before heartbeats go on without it.
  expect(recovery.incomplete([delivery], 1_000)).toEqual([undefined])
  expect(told()).toEqual([])
  await waitUntil('the gap', () => recovery.passedOver.length === 1)
  expect(recovery.incomplete([delivery], 0)).toEqual([])
  expect(told()).toEqual(['sample:X 8999-9000 open'])
  expect([recovery.behind, recovery.passedOver]).toEqual([0, ['X']])
  recovery.resume()
  await waitUntil('the end', () => recovery.passedOver.length === 0)
  expect(told().at(-1)).toBe('sample:X 8999-9000 backfilled')
})

it('what makes it impossible to go on is told', async () => {
  const { delivery, recovery } = given(() => {
    throw new Error('scripted')
  })
  recovery.catchUp(delivery)
  await expect(recovery.failed).rejects.toThrow('scripted')
})
