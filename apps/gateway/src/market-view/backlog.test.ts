import { describe, expect, test } from 'vitest'

import type { Place } from '../market-view.ts'
import { Backlog } from './backlog.ts'
import type { PlacedUpdate } from './backlog.ts'

const limits = { updates: 3, bytes: 1_000 }

function emptyBacklog(): Backlog {
  return new Backlog({ candles: [0], marketEvents: [0] }, limits)
}

function update(topic: Place['topic'], offset: number): PlacedUpdate {
  const trade = { instrumentId: 'venue:a', tradeId: `t${offset}`, version: 0, eventTime: 0 }
  return {
    type: 'trade',
    trade: { ...trade, json: '{}' },
    place: { topic, partition: 0, offset },
  }
}

function offsetsOf(updates: readonly PlacedUpdate[] | 'too_old' | 'unknown') {
  return typeof updates === 'string' ? updates : updates.map(({ place }) => place.offset)
}

describe('a backlog', () => {
  // Trades fill their backlog long before candles fill theirs: who wants candles alone was told to begin anew
  // because trades that they never asked for were forgotten.
  test('is asked for one topic whatever became of the other', () => {
    const backlog = emptyBacklog()
    backlog.add(update('candles', 1))
    for (let offset = 0; offset < 10; offset += 1) backlog.add(update('market-events', offset))
    const position = { candles: [0], marketEvents: [2] }
    expect(backlog.since(position)).toBe('too_old')
    expect(backlog.since(position, ['market-events'])).toBe('too_old')
    expect(offsetsOf(backlog.since(position, ['candles']))).toEqual([1])
    expect(offsetsOf(backlog.since({ candles: [], marketEvents: [8] }, ['market-events']))).toEqual(
      [8, 9],
    )
  })

  // Of two instances one is always some records ahead: its clients, when they came to the other, were told that
  // their position had never been.
  test('takes a position that another instance gave, ahead of this one', () => {
    const backlog = emptyBacklog()
    backlog.add(update('market-events', 4))
    const ahead = { candles: [0], marketEvents: [9_000] }
    expect(backlog.since(ahead)).toEqual([])
    // What comes then is told from where this one stands: nothing before 9,000 is taken for known.
    backlog.add(update('market-events', 5))
    expect(backlog.position().marketEvents).toEqual([6])
  })

  test('takes whatever lies before the end of a partition that it is behind', () => {
    const backlog = emptyBacklog()
    const far = { candles: [500_000], marketEvents: [0] }
    expect(backlog.since(far)).toBe('unknown')
    backlog.moveTo('candles', 0, 10, 500_000)
    expect(backlog.since(far)).toEqual([])
    expect(backlog.since({ candles: [600_000], marketEvents: [0] })).toBe('unknown')
  })

  test('knows no position of another number of partitions', () => {
    expect(emptyBacklog().since({ candles: [0, 0], marketEvents: [0] })).toBe('unknown')
  })
})
