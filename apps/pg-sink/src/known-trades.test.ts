import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { KnownTrades } from './known-trades.ts'

/** As many partitions as make each remember the least there is: two generations of 2,048. */
const crowded = 1_000
const generation = 2_048

function add(known: KnownTrades, identity: string, eventTime = 0): boolean {
  // Identities lie anywhere within a record.
  const bytes = Buffer.from(`xx${identity}yy`)
  return known.add(bytes, 2, bytes.length - 2, eventTime)
}

describe('known trades', () => {
  it('are known from the second time on, by identity and time together', () => {
    const identity = fc.record({
      text: fc.oneof(fc.constantFrom('', 'a', 'ab', 'ba'), fc.string({ maxLength: 12 })),
      time: fc.constantFrom(0, 1, 2 ** 32, 1_767_571_200_000),
    })
    fc.assert(
      fc.property(fc.array(identity, { maxLength: 100 }), (identities) => {
        const known = new KnownTrades(crowded)
        const seen = new Set<string>()
        for (const { text, time } of identities) {
          const key = `${time} ${text}`
          expect(add(known, text, time)).toBe(seen.has(key))
          seen.add(key)
        }
      }),
    )
  })

  it('are forgotten a generation at a time, the older one first', () => {
    const known = new KnownTrades(crowded)
    for (let number = 0; number < 2 * generation; number += 1) add(known, `t${number}`)
    expect(add(known, 't0')).toBe(true)
    expect(add(known, `t${2 * generation - 1}`)).toBe(true)
    expect(add(known, 'one more')).toBe(false)
    expect(add(known, `t${generation}`)).toBe(true)
    expect(add(known, 't0')).toBe(false)
  })

  it('of any length fit, or stay unknown', () => {
    const known = new KnownTrades(crowded)
    const long = 'x'.repeat(60_000)
    expect(add(known, long)).toBe(false)
    expect(add(known, long)).toBe(true)
    expect(add(known, `${long}y`)).toBe(false)
    const longest = 'x'.repeat(200_000)
    expect([add(known, longest), add(known, longest)]).toEqual([false, false])
    expect([add(known, 'short'), add(known, 'short')]).toEqual([false, true])
  })
})
