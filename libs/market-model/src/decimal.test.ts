import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Decimal } from './decimal.ts'
import {
  addDecimals,
  compareDecimals,
  decimalToNumber,
  divideDecimals,
  equalDecimals,
  formatDecimal,
  multiplyDecimals,
  negateDecimal,
  normalizeDecimal,
  parseDecimal,
  zero,
} from './decimal.ts'

/** The reference: a value as numerator / 10^places, for a fixed count of places. */
const places = 1_000

function scaled(value: Decimal): bigint {
  return BigInt(value.mantissa) * 10n ** BigInt(places + value.exponent)
}

function parsed(text: string): Decimal {
  const value = parseDecimal(text)
  if (value === undefined) throw new Error(`${text} is no number`)
  return value
}

function isNormal({ mantissa, exponent }: Decimal): boolean {
  if (mantissa === 0) return Object.is(mantissa, 0) && exponent === 0
  const isNarrow = mantissa < 2n ** 53n - 1n && mantissa > 1n - 2n ** 53n
  return BigInt(mantissa) % 10n !== 0n && isNarrow === (typeof mantissa === 'number')
}

const mantissas = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer({ min: -1_000, max: 1_000 }),
  fc.bigInt({ min: -(10n ** 60n), max: 10n ** 60n }),
  fc.constantFrom(2 ** 53 - 1, -(2 ** 53 - 1), 2n ** 53n, -(2n ** 53n), 10n ** 40n),
)
/** In any form: trailing zeros, and bigints that a number could hold. */
const decimals = decimalOf(
  mantissas,
  fc.oneof(fc.integer({ min: -20, max: 5 }), fc.integer({ min: -300, max: 300 })),
)
/** So close to each other that comparisons and halves come up. */
const closeDecimals = decimalOf(
  fc.integer({ min: -2_000, max: 2_000 }),
  fc.integer({ min: -3, max: 3 }),
)

function decimalOf(
  mantissa: fc.Arbitrary<number | bigint>,
  exponent: fc.Arbitrary<number>,
): fc.Arbitrary<Decimal> {
  return fc.record({ mantissa, exponent }, { noNullPrototype: true })
}

describe('what a venue writes', () => {
  test.each([
    ['0', 0, 0],
    ['-0', 0, 0],
    ['0.000', 0, 0],
    ['0e300', 0, 0],
    ['97123.50000000', 971_235, -1],
    ['-0.00012', -12, -5],
    ['1000', 1, 3],
    ['1.0e3', 1, 3],
    ['1.0E3', 1, 3],
    ['12e-7', 12, -7],
    ['+5', 5, 0],
    ['007.50', 75, -1],
    ['9007199254740989', 9_007_199_254_740_989, 0],
    ['9007199254740991', 9_007_199_254_740_991n, 0],
    ['-9007199254740991', -9_007_199_254_740_991n, 0],
    ['9007199254740993', 9_007_199_254_740_993n, 0],
    ['9007199254740993000', 9_007_199_254_740_993n, 3],
    ['214121762240081920', 21_412_176_224_008_192n, 1],
    ['1.000000000000000001', 1_000_000_000_000_000_001n, -18],
  ])('%s is %s * 10^%s', (text, mantissa, exponent) => {
    expect(parseDecimal(text)).toStrictEqual({ mantissa, exponent })
  })

  test.each([
    '',
    '-',
    '.5',
    '5.',
    '-.5',
    'abc',
    '1,5',
    '1_000',
    ' 1',
    '1 ',
    '0x10',
    '1e',
    '1e5.5',
    '--1',
    '1.2.3',
    'NaN',
    'Infinity',
    '1\n',
    '٣',
  ])('%j is no number', (text) => {
    expect(parseDecimal(text)).toBeUndefined()
  })

  test('more than 400 digits on one side of the point are refused', () => {
    expect(parseDecimal('1e399')).toStrictEqual({ mantissa: 1, exponent: 399 })
    expect(parseDecimal('1e400')).toBeUndefined()
    expect(parseDecimal(`1${'0'.repeat(399)}`)).toStrictEqual({ mantissa: 1, exponent: 399 })
    expect(parseDecimal(`1${'0'.repeat(400)}`)).toBeUndefined()
    expect(parseDecimal('1e-400')).toStrictEqual({ mantissa: 1, exponent: -400 })
    expect(parseDecimal('1e-401')).toBeUndefined()
    expect(parseDecimal(`0.${'0'.repeat(399)}1`)).toStrictEqual({ mantissa: 1, exponent: -400 })
    expect(parseDecimal(`0.${'0'.repeat(400)}1`)).toBeUndefined()
    expect(parseDecimal(`${'7'.repeat(400)}.${'7'.repeat(400)}`)).toBeDefined()
    expect(parseDecimal('1e99999999999999999999')).toBeUndefined()
    expect(parseDecimal('1e-99999999999999999999')).toBeUndefined()
  })

  test('any digits are read exactly, whatever their count', () => {
    const digits = fc.stringMatching(/^\d{1,40}$/)
    const fraction = fc.option(fc.stringMatching(/^\d{1,40}$/), { nil: undefined })
    const power = fc.option(fc.integer({ min: -100, max: 100 }), { nil: undefined })
    fc.assert(
      fc.property(fc.constantFrom('', '-'), digits, fraction, power, (sign, whole, part, e) => {
        const text = `${sign}${whole}${part === undefined ? '' : `.${part}`}${e === undefined ? '' : `e${e}`}`
        const value = parsed(text)
        const exponent = (e ?? 0) - (part ?? '').length
        expect(isNormal(value)).toBe(true)
        expect(scaled(value)).toBe(
          BigInt(`${sign}${whole}${part ?? ''}`) * 10n ** BigInt(places + exponent),
        )
      }),
    )
  })
})

describe('text', () => {
  test('what is formatted reads back as the same value', () => {
    fc.assert(
      fc.property(decimals, (value) => {
        expect(parsed(formatDecimal(value))).toStrictEqual(normalizeDecimal(value))
      }),
    )
  })

  test.each([
    [{ mantissa: 12, exponent: -5 }, '0.00012'],
    [{ mantissa: -3, exponent: 0 }, '-3'],
    [{ mantissa: 1, exponent: 3 }, '1000'],
    [{ mantissa: 1500, exponent: -3 }, '1.5'],
    [{ mantissa: -1000, exponent: -3 }, '-1'],
    [{ mantissa: 0, exponent: -3 }, '0'],
    [{ mantissa: 0n, exponent: 2 }, '0'],
    [{ mantissa: 9_007_199_254_740_993n, exponent: -1 }, '900719925474099.3'],
  ])('%o is written %s', (value, text) => {
    expect(formatDecimal(value)).toBe(text)
  })
})

describe('normal form', () => {
  test('has no trailing zeros, a number wherever one fits, and one zero', () => {
    fc.assert(
      fc.property(decimals, (value) => {
        const normal = normalizeDecimal(value)
        expect(isNormal(normal)).toBe(true)
        expect(scaled(normal)).toBe(scaled(value))
      }),
    )
    expect(normalizeDecimal({ mantissa: -0, exponent: 7 })).toStrictEqual(zero)
    expect(normalizeDecimal({ mantissa: 0n, exponent: 7 })).toStrictEqual(zero)
  })

  test('a mantissa beyond the longs that avsc takes is a bigint', () => {
    const widest = { mantissa: Number.MAX_SAFE_INTEGER, exponent: 0 }
    const wide = { mantissa: 9_007_199_254_740_991n, exponent: 0 }
    expect(normalizeDecimal(widest)).toStrictEqual(wide)
    expect(normalizeDecimal(wide)).toStrictEqual(wide)
    const narrow = { mantissa: 9_007_199_254_740_989, exponent: 0 }
    expect(normalizeDecimal(narrow)).toStrictEqual(narrow)
  })

  test('equal values have equal parts', () => {
    fc.assert(
      fc.property(decimals, fc.integer({ min: 0, max: 100 }), (value, zeros) => {
        const padded = {
          mantissa: BigInt(value.mantissa) * 10n ** BigInt(zeros),
          exponent: value.exponent - zeros,
        }
        expect(normalizeDecimal(padded)).toStrictEqual(normalizeDecimal(value))
      }),
    )
  })
})

describe('arithmetic is exact', () => {
  test('addition', () => {
    fc.assert(
      fc.property(decimals, decimals, (a, b) => {
        expect(scaled(addDecimals(a, b))).toBe(scaled(a) + scaled(b))
      }),
    )
  })

  test('multiplication', () => {
    fc.assert(
      fc.property(decimals, decimals, (a, b) => {
        expect(scaled(multiplyDecimals(a, b)) * 10n ** BigInt(places)).toBe(scaled(a) * scaled(b))
      }),
    )
  })

  test('no result is a negative zero', () => {
    const minusOne = { mantissa: -1, exponent: 0 }
    expect(multiplyDecimals(zero, minusOne).mantissa).toBe(0)
    expect(addDecimals({ mantissa: 1, exponent: 0 }, minusOne).mantissa).toBe(0)
    expect(divideDecimals(zero, minusOne, 2).mantissa).toBe(0)
  })

  test('negation', () => {
    fc.assert(
      fc.property(decimals, (value) => {
        expect(scaled(negateDecimal(value))).toBe(-scaled(value))
      }),
    )
    expect(negateDecimal(zero)).toStrictEqual(zero)
  })

  test('comparison', () => {
    fc.assert(
      fc.property(fc.oneof(decimals, closeDecimals), fc.oneof(decimals, closeDecimals), (a, b) => {
        const difference = scaled(a) - scaled(b)
        expect(Math.sign(compareDecimals(a, b))).toBe(
          difference > 0n ? 1 : difference < 0n ? -1 : 0,
        )
        expect(equalDecimals(a, b)).toBe(difference === 0n)
      }),
    )
  })

  test('a sum of ten thousand prices times quantities has no drift', () => {
    let sum = zero
    let expected = 0n
    for (let trade = 1; trade <= 10_000; trade += 1) {
      const price = parsed(`97${trade % 1000}.${trade % 97}1`)
      const quantity = parsed(`0.${String(trade * 7919).padStart(8, '0')}`)
      sum = addDecimals(sum, multiplyDecimals(price, quantity))
      expected += (scaled(price) * scaled(quantity)) / 10n ** BigInt(places)
    }
    expect(scaled(sum)).toBe(expected)
  })
})

describe('division', () => {
  test('is within half a unit of the last place, and even on the half', () => {
    const divisors = fc
      .oneof(decimals, closeDecimals)
      .filter(({ mantissa }) => BigInt(mantissa) !== 0n)
    const scales = fc.integer({ min: 0, max: 30 })
    fc.assert(
      fc.property(fc.oneof(decimals, closeDecimals), divisors, scales, (a, b, scale) => {
        const quotient = divideDecimals(a, b, scale)
        expect(isNormal(quotient)).toBe(true)
        expect(quotient.exponent).toBeGreaterThanOrEqual(-scale)
        // |a / b - quotient| <= 10^-scale / 2, multiplied by 2 * b * 10^(places + scale).
        const units = BigInt(quotient.mantissa) * 10n ** BigInt(quotient.exponent + scale)
        const error = scaled(a) * 10n ** BigInt(scale) - units * scaled(b)
        const doubled = 2n * (error < 0n ? -error : error)
        const limit = scaled(b) < 0n ? -scaled(b) : scaled(b)
        expect(doubled <= limit).toBe(true)
        expect(doubled === limit && units % 2n !== 0n).toBe(false)
      }),
    )
  })

  test.each([
    ['1', '3', 18, '0.333333333333333333'],
    ['2', '3', 18, '0.666666666666666667'],
    ['5', '10', 0, '0'],
    ['15', '10', 0, '2'],
    ['25', '10', 0, '2'],
    ['-25', '10', 0, '-2'],
    ['-35', '10', 0, '-4'],
    ['35', '-10', 0, '-4'],
    ['0', '7', 18, '0'],
    ['1e-30', '1', 18, '0'],
    ['1e30', '4', 18, '250000000000000000000000000000'],
  ])('%s / %s at %s decimals is %s', (a, b, scale, expected) => {
    expect(formatDecimal(divideDecimals(parsed(a), parsed(b), scale))).toBe(expected)
  })

  test('by zero is refused', () => {
    expect(() => divideDecimals(parsed('1'), zero, 18)).toThrow(RangeError)
    expect(() => divideDecimals(parsed('1'), { mantissa: 0n, exponent: 3 }, 18)).toThrow(RangeError)
  })
})

describe('the nearest double', () => {
  test('is what JavaScript reads from the same digits', () => {
    fc.assert(
      fc.property(decimals, (value) => {
        expect(decimalToNumber(value)).toBe(Number(formatDecimal(value)))
      }),
    )
  })
})
