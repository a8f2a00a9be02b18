import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import type { Candle, Decimal, Trade } from '@tickertape/market-model'
import { testDatabase } from '@tickertape/testing'
import type { TestDatabase } from '@tickertape/testing'

import {
  CopyRows,
  Database,
  bulkCopy,
  bulkInsert,
  candleFormat,
  candleRow,
  candles,
  ensureTradePartitions,
  isUniqueViolation,
  migrate,
  stagedInsert,
  stagedUpsert,
  tradeDay,
  tradeFormat,
  tradeRow,
  trades,
} from '../src/index.ts'
import { plainTrade } from './plain-trade.ts'

let created: TestDatabase
let database: Database

const day = Date.UTC(2026, 0, 5)

beforeAll(async () => {
  created = await testDatabase()
  await migrate(created.url)
  database = new Database(created.url, { applicationName: 'test' })
  await ensureTradePartitions(database, [tradeDay(day)])
})

afterAll(async () => {
  await database[Symbol.asyncDispose]()
  await created[Symbol.asyncDispose]()
})

beforeEach(() => database.query('truncate trades, candles'))

const decimal: fc.Arbitrary<Decimal> = fc.oneof(
  fc.record({
    mantissa: fc.oneof(
      fc.maxSafeInteger(),
      fc.integer({ min: -1_000_000, max: 1_000_000 }),
      fc.constantFrom(0, 9_999, 10_000, 99_999_999, 100_000_000, 2 ** 53 - 2, 1_000_000_000_001),
      fc.bigInt(-(10n ** 60n), 10n ** 60n),
    ),
    exponent: fc.integer({ min: -40, max: 40 }),
  }),
  fc.constantFrom(
    { mantissa: 1, exponent: -2_000 },
    { mantissa: 1, exponent: 2_000 },
    { mantissa: 10n ** 1_000n - 1n, exponent: -500 },
    { mantissa: -(10n ** 999n), exponent: 1_003 },
  ),
)

/** All that PostgreSQL's text takes, what a format in text would have to escape first. */
const text = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom('\\', '\t', '\n', '\r', String.raw`\N`, String.raw`\.`, '"', '{', ',', 'é'),
      fc.constantFrom('€', '😀', '\ud800', '\u007f', '\u0080', ''),
      fc.string(),
    ),
    maxLength: 90,
  })
  .map((value) => value.replaceAll('\0', ''))

const whole = fc.maxSafeInteger()
const integer = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const time = fc.integer({
  min: Date.parse('0001-01-01T00:00:00Z'),
  max: Date.parse('9999-12-31T23:59:59.999Z'),
})

function optional<T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> {
  return fc.option(value, { nil: null })
}

const trade: fc.Arbitrary<Trade> = fc.record({
  venue: text,
  feedId: text,
  instrument: text,
  tradeId: text,
  version: integer,
  status: fc.constantFrom('confirmed', 'pending', 'cancelled'),
  sequence: optional(whole),
  venueOrder: optional(whole),
  price: decimal,
  quantity: decimal,
  notionalUsd: optional(decimal),
  takerSide: fc.constantFrom('buy', 'sell', 'unknown'),
  eventTime: fc.integer({ min: day, max: day + 86_399_999 }),
  receivedAt: time,
  indexPrice: optional(decimal),
  markPrice: optional(decimal),
  impliedVolatility: optional(decimal),
  liquidation: optional(text),
  tickDirection: optional(integer),
  counterparty: optional(text),
  book: optional(text),
  maturesAt: optional(time),
  txHash: optional(text),
  baseToken: optional(text),
  quoteToken: optional(text),
})

const candle: fc.Arbitrary<Candle> = fc.record({
  instrumentId: text,
  interval: fc.constantFrom('1s', '1m'),
  windowStart: time,
  windowEnd: time,
  open: decimal,
  high: decimal,
  low: decimal,
  close: decimal,
  volume: decimal,
  buyVolume: decimal,
  quoteVolume: decimal,
  notionalUsd: optional(decimal),
  vwap: optional(decimal),
  tradeCount: whole,
  indicators: fc.dictionary(
    fc.string({ unit: 'grapheme' }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  ),
  quality: fc.constantFrom('complete', 'quiet', 'gap', 'backfilled', 'partial'),
  revision: integer,
  final: fc.boolean(),
  firstSequence: optional(whole),
  lastSequence: optional(whole),
  rebuildId: optional(whole),
})

async function stored(table: 'trades' | 'candles'): Promise<readonly string[]> {
  // As text: a numeric shows its scale there.
  const { rows } = await database.query<{ row: string }>(
    `select stored::text as row from ${table} as stored order by row`,
  )
  return rows.map(({ row }) => row)
}

function rowsOf(...list: readonly Trade[]): CopyRows<Trade> {
  const rows = new CopyRows(tradeFormat)
  for (const [offset, one] of list.entries()) rows.append(one, { partition: 0, offset })
  return rows
}

async function storedIds(): Promise<readonly (string | undefined)[]> {
  const { rows } = await database.query<{ trade_id: string }>(
    'select trade_id from trades order by trade_id',
  )
  return rows.map(({ trade_id }) => trade_id)
}

describe('a copy', () => {
  it('of trades writes what unnest inserts, whatever is in them', async () => {
    const rows = new CopyRows(tradeFormat)
    const insert = bulkInsert(trades)
    await fc.assert(
      fc.asyncProperty(fc.array(trade, { minLength: 1, maxLength: 20 }), async (list) => {
        const unique = [...new Map(list.map((one) => [one.tradeId, one])).values()]
        const position = (offset: number) => ({ partition: 7, offset })
        await database.query('truncate trades')
        await database.query(insert.with(unique.map((one, at) => tradeRow(one, position(at)))))
        const inserted = await stored('trades')
        await database.query('truncate trades')
        rows.clear()
        for (const [at, one] of unique.entries()) rows.append(one, position(at))
        await database.transaction((transaction) => bulkCopy(transaction, rows))
        expect(await stored('trades')).toEqual(inserted)
      }),
      { numRuns: 60 },
    )
  })

  it('of candles writes what unnest inserts, whatever is in them', async () => {
    const insert = bulkInsert(candles)
    await fc.assert(
      fc.asyncProperty(fc.array(candle, { minLength: 1, maxLength: 20 }), async (list) => {
        const unique = [...new Map(list.map((one) => [one.instrumentId, one])).values()]
        await database.query('truncate candles')
        await database.query(insert.with(unique.map(candleRow)))
        const inserted = await stored('candles')
        await database.query('truncate candles')
        const rows = new CopyRows(candleFormat)
        for (const one of unique) rows.append(one, { partition: 0, offset: 0 })
        await database.transaction((transaction) => bulkCopy(transaction, rows))
        expect(await stored('candles')).toEqual(inserted)
      }),
      { numRuns: 60 },
    )
  })

  it('puts the rows of an instrument together, in the order in which they were added', async () => {
    const [one, other] = ['BTC-PERPETUAL', 'ETH-PERPETUAL']
    const added = [other, one, one, other, one, other].map((instrument, at) =>
      plainTrade(`${at}`, { instrument }),
    )
    const rows = rowsOf(...added)
    await database.transaction((transaction) => bulkCopy(transaction, rows))
    const found = await database.query<{ trade_id: string }>(
      'select trade_id from trades order by ctid',
    )
    expect(found.rows.map(({ trade_id }) => trade_id)).toEqual(['0', '3', '5', '1', '2', '4'])
  })

  it('of more than a socket takes at once arrives whole', async () => {
    const book = 'x'.repeat(10_000)
    const rows = rowsOf(...Array.from({ length: 2_000 }, (_, at) => plainTrade(`${at}`, { book })))
    await database.transaction((transaction) => bulkCopy(transaction, rows))
    const { rows: sums } = await database.query('select sum(length(book)) as sum from trades')
    expect(sums).toEqual([{ sum: '20000000' }])
  })

  it('of a row that is there already fails; undone to its savepoint, it can be staged', async () => {
    await database.transaction((transaction) => bulkCopy(transaction, rowsOf(plainTrade('b'))))
    const rows = rowsOf(...['a', 'b', 'c', 'c'].map((id) => plainTrade(id)))
    const count = await database.transaction(async (transaction) => {
      const failure = await transaction
        .savepoint((inner) => bulkCopy(inner, rows))
        .catch((error: unknown) => error)
      expect(isUniqueViolation(failure)).toBe(true)
      return await stagedInsert(transaction, rows)
    })
    expect({ count, stored: await storedIds() }).toEqual({ count: 2, stored: ['a', 'b', 'c'] })
  })

  it('into a table that does not exist fails, and the connection can be used further', async () => {
    await database.transaction(async (transaction) => {
      const failing = transaction.savepoint((inner) =>
        inner.copy('copy nothing from stdin', [Buffer.from('1\n')]),
      )
      await expect(failing).rejects.toMatchObject({ code: '42P01' })
      expect((await transaction.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    })
  })

  it('a number that a column cannot hold makes no row, and leaves those before it', async () => {
    const rows = rowsOf(plainTrade('a'))
    for (const changes of [
      { version: 2 ** 31 },
      { sequence: 2 ** 53 },
      { price: { mantissa: 1, exponent: -16_384 } },
      { receivedAt: 8.65e15 },
      { receivedAt: Number.NaN },
    ]) {
      const append = () => rows.append(plainTrade('b', changes), { partition: 0, offset: 1 })
      expect(append).toThrow(expect.objectContaining({ code: 'not_storable' }))
    }
    rows.append(plainTrade('c'), { partition: 0, offset: 2 })
    await database.transaction((transaction) => bulkCopy(transaction, rows))
    expect(await storedIds()).toEqual(['a', 'c'])
  })
})

describe('staged rows', () => {
  it('of several statements in one transaction do not mix', async () => {
    const counts = await database.transaction(async (transaction) => [
      await stagedInsert(transaction, rowsOf(plainTrade('a'), plainTrade('b'))),
      await stagedInsert(transaction, rowsOf(plainTrade('b'), plainTrade('c'))),
    ])
    expect({ counts, stored: await storedIds() }).toEqual({
      counts: [2, 1],
      stored: ['a', 'b', 'c'],
    })
  })

  it('replace what is there as their rule says', async () => {
    const [first] = fc.sample(candle, 1)
    if (first === undefined) throw new Error('No candle')
    const counts: number[] = []
    for (const revision of [1, 3, 2]) {
      const rows = new CopyRows(candleFormat)
      rows.append({ ...first, revision }, { partition: 0, offset: 0 })
      const rule = { onlyIf: 'excluded.revision > candles.revision' }
      counts.push(
        await database.transaction((transaction) => stagedUpsert(transaction, rows, rule)),
      )
    }
    const { rows } = await database.query('select revision from candles')
    expect({ counts, rows }).toEqual({ counts: [1, 1, 0], rows: [{ revision: 3 }] })
  })
})
