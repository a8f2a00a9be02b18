import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'

import { divideDecimals, formatDecimal } from '@tickertape/market-model'
import type { Decimal } from '@tickertape/market-model'
import { Database } from '@tickertape/market-store'
import { testStack } from '@tickertape/testing'

import { createDivision } from '../src/recomputation.ts'

let database: Database

beforeAll(() => {
  database = new Database(testStack().databaseUrl, { applicationName: 'test' })
})

afterAll(() => database[Symbol.asyncDispose]())

async function expectEqualQuotients(pairs: readonly (readonly [Decimal, Decimal])[]) {
  const quotients = await database.transaction(async (transaction) => {
    await transaction.query(createDivision)
    const { rows } = await transaction.query<{ quotient: string }>({
      text: `select trim_scale(pg_temp.divide_half_even(a, b))::text as quotient
        from unnest($1::numeric[], $2::numeric[]) with ordinality as pair (a, b, at) order by at`,
      values: [pairs.map(([a]) => formatDecimal(a)), pairs.map(([, b]) => formatDecimal(b))],
    })
    return rows.map(({ quotient }) => quotient)
  })
  expect(quotients).toEqual(pairs.map(([a, b]) => formatDecimal(divideDecimals(a, b, 18))))
}

const decimal = fc.record({
  mantissa: fc.oneof(fc.bigInt(-(10n ** 30n), 10n ** 30n), fc.maxSafeInteger()),
  exponent: fc.integer({ min: -40, max: 20 }),
})

it('PostgreSQL divides as divideDecimals does, to the 18th decimal', async () => {
  const pairs = fc.array(
    fc.tuple(
      decimal,
      decimal.filter(({ mantissa }) => BigInt(mantissa) !== 0n),
    ),
    {
      maxLength: 200,
    },
  )
  await fc.assert(fc.asyncProperty(pairs, expectEqualQuotients), { numRuns: 20 })
})

it('halves go to the even neighbour, of either sign', async () => {
  const halves = fc.array(
    fc
      .tuple(fc.bigInt(-(10n ** 20n), 10n ** 20n), fc.bigInt(1n, 10n ** 6n), fc.boolean())
      // (2k + 1) * d / (2 * 10^18 * d): half a unit of the 18th decimal.
      .map(
        ([k, d, negative]) =>
          [
            { mantissa: (2n * k + 1n) * d, exponent: 0 },
            { mantissa: (negative ? -2n : 2n) * d, exponent: 18 },
          ] as const,
      ),
    { maxLength: 200 },
  )
  await fc.assert(fc.asyncProperty(halves, expectEqualQuotients), { numRuns: 10 })
})
