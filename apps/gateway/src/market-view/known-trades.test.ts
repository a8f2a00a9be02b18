import { describe, expect, test } from 'vitest'

import { KnownTrades } from './known-trades.ts'

describe('known trades', () => {
  test('an id is new once, and again with a higher version only', () => {
    const known = new KnownTrades(100)
    expect(known.isNew('a', 0)).toBe(true)
    expect(known.isNew('a', 0)).toBe(false)
    expect(known.isNew('a', 2)).toBe(true)
    expect(known.isNew('a', 1)).toBe(false)
  })

  test('ids that are counted up are all told apart', () => {
    const known = new KnownTrades(1_000_000)
    const ids = Array.from({ length: 100_000 }, (_, number) => String(5_000_000_000 + number))
    expect(ids.every((id) => known.isNew(id, 0))).toBe(true)
    expect(ids.some((id) => known.isNew(id, 0))).toBe(false)
  })

  test('as many as the limit are known again, and not more than twice as many', () => {
    const known = new KnownTrades(1_000)
    for (let number = 0; number < 10_000; number += 1) known.isNew(`t${number}`, 0)
    const again = Array.from({ length: 1_000 }, (_, at) => known.isNew(`t${9_999 - at}`, 0))
    expect(again).not.toContain(true)
    expect(known.isNew('t7000', 0)).toBe(true)
  })
})
