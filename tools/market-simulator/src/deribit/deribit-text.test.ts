import { parseDecimal } from '@tickertape/market-model'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fixedPoint } from '../market/number-text.ts'
import { deribitNumber } from './deribit-text.ts'

test.each([
  ['10', '10.0'],
  ['92294.50', '92294.5'],
  ['92000.0', '92000.0'],
  ['0.05', '0.05'],
  ['750', '750.0'],
  ['1000', '1.0e3'],
  ['12000', '1.2e4'],
  ['1250000', '1.25e6'],
])('%s is written as %s', (plain, written) => {
  expect(deribitNumber(plain)).toBe(written)
})

test('a written number has the value of its plain digits', () => {
  const anyUnits = fc.integer({ min: 1, max: 1_000_000_000 })
  const anyDecimals = fc.integer({ min: 0, max: 8 })
  fc.assert(
    fc.property(anyUnits, anyDecimals, (units, decimals) => {
      const plain = fixedPoint(units, decimals)
      expect(Number(plain)).toBeCloseTo(units / 10 ** decimals, decimals)
      expect(parseDecimal(deribitNumber(plain))).toEqual(parseDecimal(plain))
      // What it says must also be JSON.
      expect(JSON.parse(deribitNumber(plain))).toBe(Number(plain))
    }),
  )
})
