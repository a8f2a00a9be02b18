import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { jsonIndicators, plainDecimal } from './stored-text.ts'

/** How jsonb gives an object of numbers back: with spaces, and never with an exponent. */
function jsonbText(indicators: Readonly<Record<string, number>>): string {
  const members = Object.entries(indicators).map(
    ([name, value]) => `${JSON.stringify(name)}: ${withoutExponent(value)}`,
  )
  return `{${members.join(', ')}}`
}

function withoutExponent(value: number): string {
  const [digits = '', exponent] = String(value).split('e')
  if (exponent === undefined) return digits
  const [whole = '', fraction = ''] = digits.replace('-', '').split('.')
  const sign = value < 0 ? '-' : ''
  const shift = Number(exponent)
  if (shift < 0) return `${sign}0.${'0'.repeat(-shift - 1)}${whole}${fraction}`
  return `${sign}${whole}${fraction.padEnd(shift, '0')}`
}

const names = fc.oneof(
  fc.constantFrom('close:span=12', 'price:halflife=30s', 'a": 1, "b', 'x: y', 'back\\slash'),
  // A name that is a number would come first in any object of JavaScript's.
  fc.string({ unit: 'grapheme' }).filter((name) => !/^\d+$/.test(name) && name !== '__proto__'),
)

describe('texts of PostgreSQL', () => {
  it('indicators become what JSON.stringify writes', () => {
    fc.assert(
      fc.property(
        fc.dictionary(names, fc.double({ noNaN: true, noDefaultInfinity: true })),
        (drawn) => {
          const indicators = { ...drawn }
          expect(jsonIndicators(jsonbText(indicators))).toBe(JSON.stringify(indicators))
        },
      ),
      { numRuns: 2_000 },
    )
  })

  it.each([
    ['0', '0'],
    ['100', '100'],
    ['0.10', '0.1'],
    ['-5.000', '-5'],
    ['1200.0300', '1200.03'],
  ])('numeric %s is written as %s', (text, plain) => {
    expect(plainDecimal(text)).toBe(plain)
  })
})
