import { describe, expect, it } from 'vitest'

import { whyNotStorable } from './storable.ts'

const fine = {
  instrument: 'BTC',
  price: { mantissa: 1, exponent: -8 },
  at: 0,
  sequence: 2 ** 53 - 1,
}

function problem(changes: object): string | undefined {
  return whyNotStorable({ ...fine, ...changes }, ['at'], ['instrument'])
}

describe('records that PostgreSQL would refuse', () => {
  it('an ordinary record is none', () => {
    expect(problem({})).toBeUndefined()
  })

  it('a zero byte in a text', () => {
    expect(problem({ book: 'a\0b' })).toBe('book has a zero byte')
  })

  it('a text too long for an index; elsewhere it may be long', () => {
    expect(problem({ instrument: 'x'.repeat(201) })).toContain('instrument has 201 characters')
    expect(problem({ instrument: 'x'.repeat(200), book: 'x'.repeat(10_000) })).toBeUndefined()
  })

  it('a time beyond the calendar; other numbers may be as large', () => {
    expect(problem({ at: 8.64e15 })).toContain('at is 8640000000000000 ms')
    expect(problem({ at: -62_135_596_800_000 })).toBeUndefined()
    expect(problem({ at: -62_135_596_800_001 })).toContain('beyond the years 1 to 9999')
  })

  it('a number with more digits than numeric has', () => {
    expect(problem({ price: { mantissa: 1, exponent: -2_001 } })).toContain('price has more digits')
    expect(problem({ price: { mantissa: 10n ** 1_000n, exponent: 0 } })).toContain('price has more')
    expect(problem({ price: { mantissa: 10n ** 999n, exponent: 400 } })).toBeUndefined()
  })
})
