import avro from 'avsc'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { Decimal, MarketEvent, Trade } from '@tickertape/market-model'
import { normalizeDecimal, parseDecimal } from '@tickertape/market-model'

import { schemaOf } from './registry.ts'
import type { Registry } from './registry.ts'
import { DecodeFailure, Deserializer, Serializer } from './serdes.ts'

function decimal(text: string): Decimal {
  const value = parseDecimal(text)
  if (value === undefined) throw new Error(`not a decimal: ${text}`)
  return value
}

const trade: Trade = {
  venue: 'deribit',
  feedId: 'deribit',
  instrument: 'BTC-PERPETUAL',
  tradeId: '403691824',
  version: 0,
  status: 'confirmed',
  sequence: 271_252_854,
  venueOrder: null,
  price: decimal('92294.5'),
  quantity: decimal('10'),
  notionalUsd: decimal('10'),
  takerSide: 'sell',
  eventTime: 1_765_531_356_452,
  receivedAt: 1_765_531_356_470,
  indexPrice: decimal('92276.75'),
  markPrice: null,
  impliedVolatility: null,
  liquidation: null,
  tickDirection: 2,
  counterparty: null,
  book: null,
  maturesAt: null,
  txHash: null,
  baseToken: null,
  quoteToken: null,
}

/** A registry that holds writers' schemas, as the real one answers for them. */
function registryWith(schemas: Readonly<Record<number, ReturnType<typeof schemaOf>>>): Registry {
  const lookup = { writerSchema: (id: number) => Promise.resolve(schemas[id]) }
  // The deserializer uses this one method of it.
  return lookup as unknown as Registry
}

async function readBack(value: Buffer): Promise<MarketEvent | DecodeFailure> {
  const deserializer = new Deserializer(
    'market-events',
    registryWith({ 7: schemaOf('market-events'), 9: schemaOf('feed-cursors') }),
  )
  await deserializer.prepare([value])
  return deserializer.deserialize(value)
}

const serializer = new Serializer('market-events', 7)

describe('serdes', { timeout: 60_000 }, () => {
  it('gives a trade back as it was written', async () => {
    const event: MarketEvent = { type: 'Trade', value: trade }
    expect(await readBack(serializer.serialize(event))).toEqual(event)
  })

  it('keeps every decimal of any size', async () => {
    const anyDecimal = fc
      .tuple(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), fc.integer({ min: -30, max: 30 }))
      .map(([mantissa, exponent]) => normalizeDecimal({ mantissa, exponent }))
    await fc.assert(
      fc.asyncProperty(anyDecimal, fc.option(anyDecimal), async (price, notionalUsd) => {
        const event: MarketEvent = { type: 'Trade', value: { ...trade, price, notionalUsd } }
        expect(await readBack(serializer.serialize(event))).toEqual(event)
      }),
      { numRuns: 300 },
    )
  })

  // avsc writes longs below -2^52 as positive numbers near them.
  it.each([-(2 ** 52), -(2 ** 52) - 1, -(2 ** 53) + 3, 2 ** 53 - 3])(
    'keeps the narrow mantissa %i',
    async (mantissa) => {
      const price = { mantissa, exponent: -8 }
      const event: MarketEvent = { type: 'Trade', value: { ...trade, price } }
      expect(await readBack(serializer.serialize(event))).toEqual(event)
    },
  )

  it('writes the schema id behind a zero byte', () => {
    const bytes = serializer.serialize({ type: 'Trade', value: trade })
    expect([...bytes.subarray(0, 5)]).toEqual([0, 0, 0, 0, 7])
  })

  it('writes a record larger than its buffer', async () => {
    const event: MarketEvent = { type: 'Trade', value: { ...trade, book: 'b'.repeat(100_000) } }
    expect(await readBack(serializer.serialize(event))).toEqual(event)
  })

  it.each([
    ['no bytes', null, 'undecodable'],
    ['bytes in another format', Buffer.from('{"price":1}'), 'undecodable'],
    ['an id that the registry does not know', Buffer.from([0, 0, 0, 0, 8, 1]), 'unknown_schema_id'],
    ["another topic's schema", Buffer.from([0, 0, 0, 0, 9, 1]), 'unknown_schema_id'],
    ['a body that ends too early', Buffer.from([0, 0, 0, 0, 7, 0, 14]), 'undecodable'],
  ])('tells the reason for %s', async (_name, bytes, reason) => {
    const deserializer = new Deserializer(
      'market-events',
      registryWith({ 7: schemaOf('market-events'), 9: schemaOf('feed-cursors') }),
    )
    await deserializer.prepare([bytes])
    expect(deserializer.deserialize(bytes)).toMatchObject({ reason })
  })

  it('tells of bytes left over', async () => {
    const bytes = serializer.serialize({ type: 'Trade', value: trade })
    expect(await readBack(Buffer.concat([bytes, Buffer.from([1])]))).toBeInstanceOf(DecodeFailure)
  })

  it('reads what an older version without the optional facts wrote', async () => {
    // An older schema: the same records, without the last fields, all of which have defaults.
    const older = JSON.parse(JSON.stringify(schemaOf('market-events'))) as {
      fields: [{ type: [{ fields: { name: string }[] }] }]
    }
    const fields = older.fields[0].type[0].fields
    older.fields[0].type[0].fields = fields.filter(({ name }) => name !== 'quoteToken')
    // It came from a schema and is one still.
    const schema = older as unknown as ReturnType<typeof schemaOf>
    const body = avro.Type.forSchema(schema).toBuffer({ event: { 'tickertape.Trade': trade } })
    const value = Buffer.concat([Buffer.from([0, 0, 0, 0, 3]), body])
    const deserializer = new Deserializer('market-events', registryWith({ 3: schema }))
    await deserializer.prepare([value])
    expect(deserializer.deserialize(value)).toEqual({ type: 'Trade', value: trade })
  })
})
