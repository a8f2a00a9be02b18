import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { MappedTrade } from './mapped-trade.ts'
import { mapCoinbaseAdvancedMessage } from './mapper-coinbase-advanced.ts'
import { rowsOf } from './testing/rows-of.ts'

const context = {
  feedId: 'coinbase-advanced',
  receivedAt: 1_779_235_200_120,
  futureToleranceMs: 5_000,
}

const row = {
  trade_id: '731904417',
  product_id: 'BTC-USD',
  price: '77012.50',
  size: '0.0031',
  side: 'BUY',
  time: '2026-05-20T00:00:00.040518Z',
}

function frame(...events: readonly unknown[]): string {
  return JSON.stringify({
    channel: 'market_trades',
    client_id: '',
    timestamp: '2026-05-20T00:00:00.091234567Z',
    sequence_num: 12,
    events,
  })
}

function update(...trades: readonly unknown[]): unknown {
  return { type: 'update', trades }
}

function mapAll(text: string): readonly MappedTrade[] {
  return rowsOf(mapCoinbaseAdvancedMessage(text, context))
}

describe('market_trades', () => {
  it('has the newest trade first, the mapper the oldest', () => {
    const rows = [3, 2, 1].map((id) => ({ ...row, trade_id: String(id) }))
    expect(mapAll(frame(update(...rows))).map(({ sequence }) => sequence)).toEqual([1, 2, 3])
  })

  it('keeps the order of its events', () => {
    const of = (product_id: string, ...ids: readonly number[]): unknown =>
      update(...ids.map((id) => ({ ...row, product_id, trade_id: String(id) })))
    const text = frame(of('BTC-USD', 2, 1), of('ETH-USD', 9, 8), of('BTC-USD', 3))
    expect(mapAll(text).map(({ sequence }) => sequence)).toEqual([1, 2, 8, 9, 3])
  })

  it.each(['snapshot', 'update'])('of a %s become trades of the taker', (type) => {
    expect(mapAll(frame({ type, trades: [row] }))).toMatchObject([
      {
        kind: 'trade',
        sequence: 731904417,
        trade: {
          venue: 'coinbase-advanced',
          instrument: 'BTC-USD',
          tradeId: '731904417',
          takerSide: 'sell',
          eventTime: Date.UTC(2026, 4, 20, 0, 0, 0, 40),
        },
      },
    ])
  })

  it('that are wrong are turned away one by one, each with its bytes', () => {
    const broken = { ...row, trade_id: '731904418', price: 'NaN' }
    const [first, second, third] = mapAll(frame(update(row), update(7, broken, row)))
    expect(first?.kind).toBe('trade')
    expect(second?.kind).toBe('trade')
    expect(third).toMatchObject({
      kind: 'rejected',
      original: JSON.stringify(broken),
      sequence: 731904418,
    })
  })

  it('without an id cover no sequence', () => {
    const broken = { ...row, trade_id: '9007199254740993' }
    expect(mapAll(frame(update(broken)))).toMatchObject([{ sequence: undefined }])
  })
})

describe('other messages of Advanced Trade', () => {
  it.each([
    [
      'a heartbeat',
      '{"channel":"heartbeats","client_id":"","timestamp":"2026-05-20T00:00:01.126122969Z","sequence_num":7,"events":[{"current_time":"2026-05-20 00:00:01.121961769 +0000 UTC m=+91717.525857105","heartbeat_counter":"3049"}]}',
      { type: 'heartbeat', time: Date.UTC(2026, 4, 20, 0, 0, 1, 126), number: 7 },
    ],
    [
      'an acknowledgement',
      '{"channel":"subscriptions","client_id":"","timestamp":"2026-05-20T00:00:01Z","sequence_num":0,"events":[{"subscriptions":{"market_trades":["BTC-USD"],"heartbeats":["heartbeats"]}}]}',
      { type: 'subscribed', instruments: ['BTC-USD'], number: 0 },
    ],
    [
      'an acknowledgement of heartbeats',
      '{"channel":"subscriptions","sequence_num":1,"events":[{"subscriptions":{"heartbeats":["heartbeats"]}}]}',
      { type: 'subscribed', instruments: [], number: 1 },
    ],
    [
      'an error',
      '{"type":"error","message":"subscribe failure"}',
      { type: 'error', message: 'subscribe failure' },
    ],
    [
      'another channel',
      '{"channel":"status","sequence_num":3,"events":[]}',
      { type: 'other', number: 3 },
    ],
  ])('%s is told apart', (_what, text, expected) => {
    expect(mapCoinbaseAdvancedMessage(text, context)).toEqual(expected)
  })

  it.each([
    '{"channel":"market_tra',
    '',
    '[]',
    '{}',
    '{"channel":"market_trades","events":[{"type":"update"}]}',
    '{"channel":"heartbeats","events":[]}',
  ])('%j is malformed', (text) => {
    expect(mapCoinbaseAdvancedMessage(text, context).type).toBe('malformed')
  })

  it('no text at all makes the mapper throw', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(mapCoinbaseAdvancedMessage(text, context).type).toMatch(/^(?:malformed|other)$/)
        const push = `{"channel":"market_trades","events":[{"trades":[${text}]}]}`
        expect(mapCoinbaseAdvancedMessage(push, context).type).toMatch(/^(?:trades|malformed)$/)
        const listed = `{"channel":"subscriptions","events":[${text}]}`
        expect(mapCoinbaseAdvancedMessage(listed, context).type).toMatch(
          /^(?:subscribed|malformed)$/,
        )
      }),
    )
  })
})
