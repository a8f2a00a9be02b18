import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { noOptionalFacts, formatDecimal } from '@tickertape/market-model'
import { testDatabase } from '@tickertape/testing'
import type { TestDatabase } from '@tickertape/testing'

import {
  Database,
  bulkInsert,
  bulkUpsert,
  candles,
  ensureTradePartitions,
  feedWatermarks,
  instrumentRow,
  instruments,
  keepKnownTerms,
  migrate,
  rejected,
  sequenceGaps,
  tradeDay,
  trades,
} from '../src/index.ts'
import type { BulkRow } from '../src/index.ts'

let created: TestDatabase
let database: Database

beforeAll(async () => {
  created = await testDatabase()
  await migrate(created.url)
  database = new Database(created.url, { applicationName: 'test' })
  await ensureTradePartitions(database, [tradeDay(Date.UTC(2026, 0, 5))])
})

afterAll(async () => {
  await database[Symbol.asyncDispose]()
  await created[Symbol.asyncDispose]()
})

beforeEach(async () => {
  await database.query('truncate trades, candles, rejected, feed_watermarks, sequence_gaps')
})

function tradeRow(changes: Partial<BulkRow<typeof trades>>): BulkRow<typeof trades> {
  return {
    instrumentId: 'deribit:BTC-PERPETUAL',
    tradeId: '1',
    version: 0,
    venue: 'deribit',
    feedId: 'deribit',
    instrument: 'BTC-PERPETUAL',
    status: 'confirmed',
    sequence: null,
    venueOrder: null,
    price: '1',
    quantity: '1',
    notionalUsd: null,
    takerSide: 'buy',
    eventTime: '2026-01-05T00:00:00.001Z',
    receivedAt: '2026-01-05T00:00:00.002Z',
    ...noOptionalFacts,
    sourcePartition: 0,
    sourceOffset: 0,
    ...changes,
  }
}

describe('bulk statements', () => {
  it('numbers come out as they went in, to the last of any number of digits', async () => {
    const decimal = fc
      .record({
        mantissa: fc.bigInt(-(10n ** 40n), 10n ** 40n),
        exponent: fc.integer({ min: -60, max: 60 }),
      })
      .map(formatDecimal)
    await fc.assert(
      fc.asyncProperty(fc.array(decimal, { minLength: 1, maxLength: 20 }), async (prices) => {
        await database.query('truncate trades')
        const rows = prices.map((price, at) =>
          tradeRow({ tradeId: String(at), price, notionalUsd: price }),
        )
        await database.query(bulkInsert(trades).with(rows))
        const stored = await database.query<{ price: string; notional_usd: string }>(
          'select price, notional_usd from trades order by trade_id::integer',
        )
        expect(stored.rows).toEqual(prices.map((price) => ({ price, notional_usd: price })))
      }),
      { numRuns: 30 },
    )
  })

  it('texts come out as they went in, whatever their characters', async () => {
    const text = fc.string({
      unit: fc.oneof(fc.constantFrom('"', '\\', '{', '}', ',', "'", 'NULL', '\n'), fc.string()),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.option(text), { minLength: 1 }), async (books) => {
        await database.query('truncate trades')
        const storable = books.map((book) => book?.replaceAll('\0', '') ?? null)
        const rows = storable.map((book, at) => tradeRow({ tradeId: String(at), book }))
        await database.query(bulkInsert(trades).with(rows))
        const stored = await database.query<{ book: string | null }>(
          'select book from trades order by trade_id::integer',
        )
        expect(stored.rows.map(({ book }) => book)).toEqual(storable)
      }),
      { numRuns: 30 },
    )
  })

  it('bytes and times come out as they went in', async () => {
    const row = {
      topic: 'market-events',
      partition: 3,
      offset: 2 ** 40,
      stage: 'pg-sink',
      reason: 'undecodable',
      message: '',
      sourceTopic: null,
      sourcePartition: null,
      sourceOffset: null,
      venue: null,
      feedId: null,
      key: null,
      value: Buffer.from([0, 1, 92, 34, 255]),
      rejectedAt: '2026-01-05T00:00:00.123Z',
      redrivenAt: null,
      redriveId: null,
    }
    await database.query(bulkInsert(rejected).with([row]))
    const { rows } = await database.query('select "offset", key, value, rejected_at from rejected')
    expect(rows).toEqual([
      {
        offset: String(2 ** 40),
        key: null,
        value: row.value,
        rejected_at: new Date(row.rejectedAt),
      },
    ])
  })

  it('the first row of a key stays, within a batch and over batches', async () => {
    const insert = bulkInsert(trades)
    const one = await database.query(
      insert.with([tradeRow({ price: '1' }), tradeRow({ price: '2' })]),
    )
    const two = await database.query(
      insert.with([tradeRow({ price: '3' }), tradeRow({ version: 1 })]),
    )
    const { rows } = await database.query('select version, price from trades order by version')
    expect({ counts: [one.count, two.count], rows }).toEqual({
      counts: [1, 1],
      rows: [
        { version: 0, price: '1' },
        { version: 1, price: '1' },
      ],
    })
  })

  it('an upsert replaces all but the key as its rule says, if its condition holds', async () => {
    const upsert = bulkUpsert(feedWatermarks, {
      onlyIf: 'excluded.heartbeat_offset > feed_watermarks.heartbeat_offset',
      set: { up_to: 'greatest(excluded.up_to, feed_watermarks.up_to)' },
    })
    const counts: number[] = []
    for (const [heartbeatOffset, upTo] of [
      [5, '2026-01-05T00:00:02.000Z'],
      [4, '2026-01-05T00:00:09.000Z'],
      [6, '2026-01-05T00:00:01.000Z'],
    ] as const) {
      const row = { partition: 0, feedId: 'deribit', upTo, heartbeatOffset }
      counts.push((await database.query(upsert.with([row]))).count)
    }
    const { rows } = await database.query('select up_to, heartbeat_offset from feed_watermarks')
    expect({ counts, rows }).toEqual({
      counts: [1, 0, 1],
      rows: [{ up_to: new Date('2026-01-05T00:00:02.000Z'), heartbeat_offset: '6' }],
    })
  })

  it('a null in a key equals another null', async () => {
    const upsert = bulkUpsert(sequenceGaps)
    const at = (instrumentId: string | null, sourcePartition: number, sourceOffset: number) =>
      upsert.with([
        {
          gapId: 'gap',
          feedId: 'deribit',
          replicaId: 'a',
          instrumentId,
          fromTime: '2026-01-05T00:00:00.000Z',
          toTime: '2026-01-05T00:00:01.000Z',
          fromSequence: null,
          toSequence: null,
          state: 'open',
          sourcePartition,
          sourceOffset,
        },
      ])
    await database.query(at(null, 0, 1))
    await database.query(at(null, 0, 2))
    await database.query(at(null, 1, 3))
    await database.query(at('deribit:BTC-PERPETUAL', 0, 4))
    const { rows } = await database.query(
      'select instrument_id, source_offset from sequence_gaps order by source_offset',
    )
    expect(rows).toEqual([
      { instrument_id: null, source_offset: '2' },
      { instrument_id: null, source_offset: '3' },
      { instrument_id: 'deribit:BTC-PERPETUAL', source_offset: '4' },
    ])
  })

  it('what an instrument is stays known where a later record does not tell', async () => {
    const told = {
      instrumentId: 'deribit:BTC-PERPETUAL',
      feedId: 'deribit',
      status: 'listed',
      eventTime: 1,
      receivedAt: 1,
      base: 'BTC',
      quote: 'USD',
      kind: 'perpetual',
      quantityUnit: 'quote',
    } as const
    const untold = { base: null, quote: null, kind: null, quantityUnit: null, eventTime: 2 }
    const expired = { ...told, ...untold, status: 'expired' } as const
    const upsert = bulkUpsert(instruments, keepKnownTerms)
    const first = instrumentRow(told, { partition: 1, offset: 1 })
    await database.query(upsert.with([first]))
    await database.query(upsert.with([instrumentRow(expired, { partition: 1, offset: 2 })]))
    const together = instrumentRow(expired, { partition: 1, offset: 2 }, first)
    const { rows } = await database.query(
      'select venue, instrument, status, base, quote, kind, quantity_unit, source_offset from instruments',
    )
    expect(rows).toEqual([
      {
        venue: 'deribit',
        instrument: 'BTC-PERPETUAL',
        status: together.status,
        base: together.base,
        quote: together.quote,
        kind: together.kind,
        quantity_unit: together.quantityUnit,
        source_offset: String(together.sourceOffset),
      },
    ])
    expect(together).toMatchObject({ status: 'expired', kind: 'perpetual', quantityUnit: 'quote' })
  })

  it('every table can be written', () => {
    for (const table of [candles, sequenceGaps]) {
      expect(bulkUpsert(table).with([]).text).toContain('on conflict ("')
    }
  })
})
