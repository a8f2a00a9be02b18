import { deserialize, serialize } from 'node:v8'

import { describe, expect, it } from 'vitest'

import { PartitionAggregation } from '@tickertape/candles'
import type { StoredWindowCodec } from '@tickertape/candles'
import { DecodeFailure } from '@tickertape/kafka-avro'
import type { LogRecord } from '@tickertape/kafka-avro'
import { noOptionalFacts } from '@tickertape/market-model'
import type { MarketEvent, StoredWindow } from '@tickertape/market-model'

import { OwnedPartition } from './owned-partition.ts'

const codec: StoredWindowCodec = {
  encode: (window) => serialize(window),
  // What `encode` made.
  decode: (bytes) => deserialize(bytes) as StoredWindow,
}

/** Records whose values are their events, as V8 writes them. */
const reader = {
  read: (value: Buffer | null) => {
    if (value === null) return new DecodeFailure('undecodable', 'no value')
    // What `record` made.
    return deserialize(value) as MarketEvent
  },
}

function record(offset: number, event: MarketEvent | undefined): LogRecord {
  const value = event === undefined ? null : serialize(event)
  return { topic: 'market-events', partition: 0, offset, value }
}

function trade(sequence: number, eventTime: number): MarketEvent {
  return {
    type: 'Trade',
    value: {
      venue: 'deribit',
      feedId: 'deribit',
      instrument: 'BTC-PERPETUAL',
      tradeId: `t${sequence}`,
      version: 0,
      status: 'confirmed',
      sequence,
      venueOrder: null,
      price: { mantissa: 5, exponent: 4 },
      quantity: { mantissa: 1, exponent: 0 },
      notionalUsd: null,
      takerSide: 'buy',
      eventTime,
      receivedAt: eventTime,
      ...noOptionalFacts,
    },
  }
}

function heartbeat(upTo: number): MarketEvent {
  const value = { feedId: 'deribit', replicaId: 'a', upTo, receivedAt: upTo }
  return { type: 'FeedHeartbeat', value }
}

function ownedPartition(events: readonly (MarketEvent | undefined)[]): OwnedPartition {
  const owned = new OwnedPartition(0, 100, reader)
  const settings = {
    graceMs: 0,
    futureToleranceMs: 5_000,
    horizonMs: 3_600_000,
    intervals: ['1s', '1m'],
    indicators: [],
    maxCandlesPerStep: 1,
  } as const
  for (const [at, event] of events.entries()) owned.deliver(record(100 + at, event))
  owned.restored(new PartitionAggregation(settings, codec), null)
  return owned
}

const noHurry = { until: Infinity, maxRecords: Infinity }

describe('a partition', () => {
  it('keeps what is delivered before its state is there', () => {
    const owned = new OwnedPartition(0, 100, reader)
    owned.deliver(record(100, trade(1, 0)))
    expect(owned.advance(noHurry)).toEqual({ kind: 'drained' })
    expect(owned.waitingRecords).toBe(1)
    expect(owned.position).toBe(100)
  })

  it('stands before a heartbeat whose candles are not all out, and goes on with it', () => {
    const owned = ownedPartition([trade(1, 0), trade(2, 1_000), heartbeat(5_000), trade(3, 6_000)])
    expect(owned.advance(noHurry)).toEqual({ kind: 'full' })
    const first = owned.takeOutput()
    expect(first.candles).toHaveLength(1)
    expect(first.position).toBe(102)
    expect(first.changes.partition.committedOffset).toBe(102)
    expect(owned.advance(noHurry)).toEqual({ kind: 'drained' })
    const second = owned.takeOutput()
    expect(second.candles).toHaveLength(1)
    expect(second.position).toBe(104)
    expect([...first.outcomes, ...second.outcomes]).toEqual([
      ['accepted', 2],
      ['accepted', 2],
    ])
  })

  it('asks for the records that a correction needs, and applies it with them', () => {
    const first = trade(1, 0)
    const correction = trade(1, 0)
    if (first.type !== 'Trade' || correction.type !== 'Trade') throw new Error('not trades')
    const price = { mantissa: 6, exponent: 4 }
    const corrected = { ...correction, value: { ...correction.value, version: 1, price } }
    const owned = ownedPartition([first, heartbeat(1_000), corrected, heartbeat(2_000)])
    expect(owned.advance(noHurry)).toMatchObject({
      kind: 'needs',
      event: corrected,
      ranges: [{ from: 100, to: 100 }],
    })
    expect(owned.position).toBe(102)
    owned.supply([{ offset: 100, trade: first.value }])
    expect(owned.advance(noHurry)).toEqual({ kind: 'drained' })
    const { candles, outcomes } = owned.takeOutput()
    expect(candles.map(({ revision }) => revision)).toEqual([0, 1])
    expect(outcomes.get('revised')).toBe(1)
  })

  it('puts what cannot be read aside, and goes on behind it', () => {
    const owned = ownedPartition([undefined, trade(1, 0)])
    expect(owned.advance(noHurry)).toEqual({ kind: 'drained' })
    const { rejected, position } = owned.takeOutput()
    expect(rejected.map(({ reason, record: { offset } }) => [reason, offset])).toEqual([
      ['undecodable', 100],
    ])
    expect(position).toBe(102)
  })

  it('stops where a transaction is full, and when its turn is over', () => {
    const owned = ownedPartition([trade(1, 0), trade(2, 0), trade(3, 0)])
    expect(owned.advance({ until: Infinity, maxRecords: 2 })).toEqual({ kind: 'full' })
    expect(owned.position).toBe(102)
    expect(owned.advance({ until: 0, maxRecords: 2 })).toEqual({ kind: 'out-of-time' })
    expect(owned.uncommitted).toBe(2)
    owned.takeOutput()
    expect(owned.isDirty).toBe(false)
  })

  it('stands still at a record that asks for a rebuild until that is done', () => {
    const rebuild = { fromTime: 0, toTime: 60_000, fromOffset: 100, requestedAt: 0 }
    const owned = ownedPartition([trade(1, 0), { type: 'Rebuild', value: rebuild }, trade(2, 0)])
    expect(owned.advance(noHurry)).toEqual({ kind: 'rebuild', offset: 101, rebuild })
    expect(owned.advance(noHurry)).toEqual({ kind: 'drained' })
    expect(owned.position).toBe(101)
    owned.addRebuilt([], { offset: 101, candles: 7 })
    expect(owned.takeOutput().changes.partition.rebuild).toEqual({ offset: 101, candles: 7 })
    owned.finishRebuild('rebuild')
    expect(owned.advance(noHurry)).toEqual({ kind: 'drained' })
    const { position, changes } = owned.takeOutput()
    expect(position).toBe(103)
    expect(changes.partition.rebuild).toBeNull()
  })
})
