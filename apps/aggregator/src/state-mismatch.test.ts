import { expect, it } from 'vitest'

import type { PartitionState } from '@tickertape/market-model'

import { StateMismatch, requireMatchingState, requireReadableLog } from './state-mismatch.ts'
import type { PartitionStanding } from './state-mismatch.ts'

const standing: PartitionStanding = {
  groupId: 'aggregator',
  eventsTopic: 'market-events',
  stateTopic: 'aggregator-state',
  partition: 3,
  committed: 700,
  log: { low: 100, high: 900 },
}

function state(offsets: { committedOffset: number; restoreOffset: number }): PartitionState {
  return {
    graceMs: 0,
    futureToleranceMs: 0,
    quietSpanMs: 0,
    horizonMs: 0,
    gapSpanMs: 0,
    intervals: [],
    indicators: [],
    watermarks: [],
    gaps: [],
    rebuild: null,
    ...offsets,
  }
}

function problem(check: () => void): string {
  try {
    check()
  } catch (error) {
    if (error instanceof StateMismatch) return error.message
    throw error
  }
  return 'none'
}

it.each([
  ['nothing was ever read', undefined, undefined, 'none'],
  ['both are of one transaction', 700, state({ committedOffset: 700, restoreOffset: 650 }), 'none'],
  ['the changelog is gone', 700, undefined, 'aggregator-state [3] is empty, but group aggregator'],
  [
    'the group is gone',
    undefined,
    state({ committedOffset: 700, restoreOffset: 650 }),
    'stands at offset 700 of market-events [3], but group aggregator has no offset',
  ],
  [
    'the log was made anew',
    undefined,
    state({ committedOffset: 901, restoreOffset: 650 }),
    'stands at offset 901 of market-events [3], which ends at offset 900: the topic was deleted',
  ],
  [
    'the changelog is ahead',
    700,
    state({ committedOffset: 800, restoreOffset: 650 }),
    'stands at offset 800 of market-events [3], ahead of offset 700',
  ],
  [
    'the changelog is behind',
    700,
    state({ committedOffset: 600, restoreOffset: 550 }),
    'stands at offset 600 of market-events [3], behind offset 700',
  ],
  [
    'what open windows need was deleted',
    700,
    state({ committedOffset: 700, restoreOffset: 99 }),
    'market-events [3] begins at offset 100, but open windows need it from 99',
  ],
])('%s: refused with both numbers, or not at all', (_, committed, found, expected) => {
  expect(problem(() => requireMatchingState({ ...standing, committed }, found))).toContain(expected)
})

it.each([
  [
    'the log is shorter than what was read',
    901,
    'ends at offset 900, but group aggregator has read up to 901',
  ],
  ['what was not read is deleted', 60, 'has deleted 40 records that were not read'],
  ['the log was read to its end', 900, 'none'],
  ['the log was deleted up to what was read', 100, 'none'],
  ['nothing was read', undefined, 'none'],
])('%s: told before anything is restored', (_, committed, expected) => {
  expect(problem(() => requireReadableLog({ ...standing, committed }))).toContain(expected)
})
