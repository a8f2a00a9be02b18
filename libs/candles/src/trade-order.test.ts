import type { Trade } from '@tickertape/market-model'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { tradeEvent } from './market-logs.ts'
import { compareUtf8, isBefore } from './trade-order.ts'

function trade(facts: Partial<Trade>): Trade {
  return tradeEvent({ eventTime: 5, sequence: 5, venueOrder: 5, tradeId: 'm', ...facts }).value
}

describe('the order of trades', () => {
  test.each<[string, Partial<Trade>]>([
    [
      'an earlier event time comes first',
      { eventTime: 4, sequence: 9, venueOrder: 9, tradeId: 'z' },
    ],
    ['then a lower sequence', { sequence: 4, venueOrder: 9, tradeId: 'z' }],
    ['no sequence before any', { sequence: null, venueOrder: 9, tradeId: 'z' }],
    ['then a lower venue order', { venueOrder: 4, tradeId: 'z' }],
    ['no venue order before any', { venueOrder: null, tradeId: 'z' }],
    ['then the lower id', { tradeId: 'a' }],
  ])('%s', (_, facts) => {
    expect(isBefore(trade(facts), trade({}))).toBe(true)
    expect(isBefore(trade({}), trade(facts))).toBe(false)
  })

  test('ids compare as text: 10 before 9', () => {
    expect(isBefore(trade({ tradeId: '10' }), trade({ tradeId: '9' }))).toBe(true)
  })

  test('a trade is not before itself', () => {
    expect(isBefore(trade({}), trade({}))).toBe(false)
  })
})

test('ids compare by their UTF-8 bytes, beyond the basic plane too', () => {
  const encoder = new TextEncoder()
  const units = fc.constantFrom(
    'a',
    'b',
    '\u00e9',
    '\ud7ff',
    '\ue000',
    '\uffff',
    '\u{10000}',
    '\u{1f600}',
  )
  const texts = fc.array(units, { maxLength: 4 }).map((parts) => parts.join(''))
  fc.assert(
    fc.property(texts, texts, (a, b) => {
      expect(Math.sign(compareUtf8(a, b))).toBe(compareBytes(encoder.encode(a), encoder.encode(b)))
    }),
    { numRuns: 1_000 },
  )
})

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let at = 0; at < Math.min(a.length, b.length); at += 1) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0)
    if (difference !== 0) return Math.sign(difference)
  }
  return Math.sign(a.length - b.length)
}
