import type { Decimal } from '@tickertape/market-model'
import { addDecimals, multiplyDecimals, normalizeDecimal, zero } from '@tickertape/market-model'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DecimalSum } from './decimal-sum.ts'

const decimals: fc.Arbitrary<Decimal> = fc.record(
  {
    mantissa: fc.oneof(
      fc.integer({ min: -100_000, max: 100_000 }),
      fc.maxSafeInteger(),
      fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
    ),
    exponent: fc.oneof(fc.integer({ min: -8, max: 0 }), fc.integer({ min: -60, max: 60 })),
  },
  { noNullPrototype: true },
)

test('a sum that grows in place equals the sum of its parts, in normal form', () => {
  const parts = fc.array(fc.tuple(decimals, fc.option(decimals)), { maxLength: 40 })
  fc.assert(
    fc.property(parts, (list) => {
      const sum = new DecimalSum()
      let expected = zero
      for (const [left, right] of list) {
        if (right === null) sum.add(left)
        else sum.addProduct(left, right)
        expected = addDecimals(expected, right === null ? left : multiplyDecimals(left, right))
      }
      expect(sum.toDecimal()).toStrictEqual(normalizeDecimal(expected))
    }),
    { numRuns: 2_000 },
  )
})

test('a sum stays exact where it crosses 2^53 again and again', () => {
  const sum = new DecimalSum()
  for (let part = 0; part < 999; part += 1) {
    sum.add({ mantissa: Number.MAX_SAFE_INTEGER, exponent: -2 })
  }
  expect(sum.toDecimal()).toStrictEqual({
    mantissa: 999n * 9_007_199_254_740_991n,
    exponent: -2,
  })
})

test('no addend changes what was read before', () => {
  const sum = new DecimalSum()
  sum.add({ mantissa: 15, exponent: -1 })
  const before = sum.toDecimal()
  sum.add({ mantissa: 1, exponent: -3 })
  expect(before).toStrictEqual({ mantissa: 15, exponent: -1 })
  expect(sum.toDecimal()).toStrictEqual({ mantissa: 1501, exponent: -3 })
})
