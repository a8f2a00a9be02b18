import { inspect } from 'node:util'

import avro from 'avsc'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'

import type { Decimal, MarketEvent, Trade } from '@tickertape/market-model'
import { normalizeDecimal } from '@tickertape/market-model'

import { MarketEventReader } from './market-event-reader.ts'
import type { EssentialMarketEvent } from './market-event-reader.ts'
import { schemaOf } from './registry.ts'
import type { Registry } from './registry.ts'
import { DecodeFailure, Deserializer } from './serdes.ts'
import { planFor } from './trade-layout.ts'
import { exchangeWideDecimals, toWideBytes } from './wide-decimals.ts'

const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 12 }), fc.constant('binance'))
// avsc writes longs below -2^52 wrong; of ours, decimals alone come near, and take another branch there.
const long = fc.integer({ min: -(2 ** 52), max: 2 ** 53 - 2 })
const narrowMantissa = fc.maxSafeInteger().filter((value) => Math.abs(value) < 2 ** 53 - 1)
const int = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const anyDecimal: fc.Arbitrary<Decimal> = fc
  .tuple(
    fc.oneof(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), narrowMantissa.map(BigInt)),
    fc.integer({ min: -30, max: 30 }),
  )
  .map(([mantissa, exponent]) => normalizeDecimal({ mantissa, exponent }))

const essentials = fc.record({
  venue: text,
  feedId: text,
  instrument: text,
  tradeId: text,
  version: int,
  status: fc.constantFrom('confirmed' as const, 'pending' as const, 'cancelled' as const),
  sequence: fc.option(long),
  venueOrder: fc.option(long),
  price: anyDecimal,
  quantity: anyDecimal,
  notionalUsd: fc.option(anyDecimal),
  takerSide: fc.constantFrom('buy' as const, 'sell' as const, 'unknown' as const),
  eventTime: long,
  receivedAt: long,
})
const optionalFacts = fc.record({
  indexPrice: fc.option(anyDecimal),
  markPrice: fc.option(anyDecimal),
  impliedVolatility: fc.option(anyDecimal),
  liquidation: fc.option(text),
  tickDirection: fc.option(int),
  counterparty: fc.option(text),
  book: fc.option(text),
  maturesAt: fc.option(long),
  txHash: fc.option(text),
  baseToken: fc.option(text),
  quoteToken: fc.option(text),
})
const otherEvent: fc.Arbitrary<MarketEvent> = fc.oneof(
  fc.record({
    type: fc.constant('FeedHeartbeat' as const),
    value: fc.record({ feedId: text, replicaId: text, upTo: long, receivedAt: long }),
  }),
  fc.record({
    type: fc.constant('SequenceGap' as const),
    value: fc.record({
      gapId: text,
      feedId: text,
      replicaId: text,
      instrumentId: fc.option(text),
      fromTime: long,
      toTime: long,
      fromSequence: fc.option(long),
      toSequence: fc.option(long),
      state: fc.constantFrom('open' as const, 'backfilled' as const, 'unrecoverable' as const),
    }),
  }),
)

type Schema = ReturnType<typeof schemaOf>
interface Field {
  readonly name: string
}

/** This version's schema with other fields in its trades. */
function changedTrade(change: (fields: readonly Field[]) => readonly Field[]): Schema {
  const schema = JSON.parse(JSON.stringify(schemaOf('market-events'))) as {
    fields: [{ type: [{ fields: readonly Field[] }] }]
  }
  const [trade] = schema.fields[0].type
  trade.fields = change(trade.fields)
  // It came from a schema and is one still.
  return schema as unknown as Schema
}

const without = (name: string) =>
  changedTrade((fields) => fields.filter((field) => field.name !== name))
const current = schemaOf('market-events')
const older = without('quoteToken')
const reordered = changedTrade((fields) => [
  ...fields.filter(({ name }) => name !== 'notionalUsd'),
  ...fields.filter(({ name }) => name === 'notionalUsd'),
])
const schemas: Readonly<Record<number, Schema>> = {
  1: current,
  2: older,
  3: reordered,
  4: schemaOf('feed-cursors'),
}
// The readers use this one method of it.
const registry = {
  writerSchema: (id: number) => Promise.resolve(schemas[id]),
} as unknown as Registry

/** A record as a version with this schema writes it. */
function writtenWith(id: number, { type, value }: MarketEvent): Buffer {
  const schema = schemas[id] ?? current
  const record = exchangeWideDecimals(
    schema,
    toWideBytes,
  )({
    event: { [`tickertape.${type}`]: value },
  })
  const header = Buffer.from([0, 0, 0, 0, id])
  return Buffer.concat([header, avro.Type.forSchema(schema).toBuffer(record)])
}

function essential(event: MarketEvent): EssentialMarketEvent {
  if (event.type !== 'Trade') return event
  const { venue, feedId, instrument, tradeId, version, status, sequence, venueOrder } = event.value
  const { price, quantity, notionalUsd, takerSide, eventTime, receivedAt } = event.value
  return {
    type: 'Trade',
    value: {
      venue,
      feedId,
      instrument,
      tradeId,
      version,
      status,
      sequence,
      venueOrder,
      price,
      quantity,
      notionalUsd,
      takerSide,
      eventTime,
      receivedAt,
    },
  }
}

const anyTrade: fc.Arbitrary<MarketEvent> = fc
  .tuple(essentials, optionalFacts)
  .map(([needed, optional]) => ({ type: 'Trade', value: { ...needed, ...optional } as Trade }))
const anyEvent = fc.oneof({ arbitrary: anyTrade, weight: 4 }, otherEvent)

const reader = new MarketEventReader(registry)
const whole = new Deserializer('market-events', registry)

beforeAll(async () => {
  const values = [1, 2, 3, 4].map((id) => Buffer.from([0, 0, 0, 0, id]))
  await reader.prepare(values.map((value) => ({ value })))
  await whole.prepare(values)
})

describe('the reader of market events', { timeout: 60_000 }, () => {
  it('knows how this version and older ones lay out trades', () => {
    expect(planFor(current)).toMatchObject({ hasAllFacts: true })
    expect(planFor(older)).toMatchObject({ hasAllFacts: false })
    expect(planFor(reordered)).toBeUndefined()
    expect(planFor(schemaOf('candles'))).toBeUndefined()
  })

  it.each([1, 2, 3])('gives what the deserializer gives of records with schema %i', (id) => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        const value = writtenWith(id, event)
        const read = reader.read(value)
        expect(read).toMatchObject(essential(event))
        expect(whole.deserialize(value)).toMatchObject(read)
        expect(reader.readWhole(value)).toEqual(whole.deserialize(value))
      }),
      { numRuns: 100 },
    )
  })

  it('finds where a trade’s identity stands, and its time, without reading it', () => {
    fc.assert(
      fc.property(anyTrade, anyTrade, fc.constantFrom(1, 2), (one, other, id) => {
        const [a, b] = [one, other].map((event) => {
          const value = writtenWith(id, event)
          const identity = reader.identityOf(value)
          if (identity === undefined) throw new Error('It is a trade')
          return { bytes: value.subarray(identity.begin, identity.end), time: identity.eventTime }
        })
        const facts = ({ value }: MarketEvent) => {
          const { venue, feedId, instrument, tradeId, version } = value as Trade
          return JSON.stringify([venue, feedId, instrument, tradeId, version])
        }
        expect(a?.time).toBe((one.value as Trade).eventTime)
        expect(b && a?.bytes.equals(b.bytes)).toBe(facts(one) === facts(other))
      }),
      { numRuns: 100 },
    )
    expect(reader.identityOf(null)).toBeUndefined()
    expect(reader.identityOf(Buffer.from([0, 0, 0, 0, 1, 2]))).toBeUndefined()
  })

  it('keeps names apart that share a slot or a beginning', () => {
    const names = fc.array(fc.tuple(text, text, text), { minLength: 1, maxLength: 50 })
    fc.assert(
      fc.property(names, essentials, optionalFacts, (sources, needed, optional) => {
        for (const [venue, feedId, instrument] of sources) {
          const value = { ...needed, ...optional, venue, feedId, instrument } as Trade
          const read = reader.read(writtenWith(1, { type: 'Trade', value }))
          expect(read).toMatchObject({ value: { venue, feedId, instrument } })
        }
      }),
      { numRuns: 50 },
    )
  })

  it('takes damaged bytes as the deserializer does', () => {
    const damage = fc.record({
      at: fc.nat(),
      byte: fc.nat({ max: 255 }),
      length: fc.option(fc.nat(), { freq: 2 }),
    })
    fc.assert(
      fc.property(anyTrade, damage, (event, { at, byte, length }) => {
        const intact = writtenWith(1, event)
        const value = Buffer.from(
          intact.subarray(0, length === null ? intact.length : 5 + (length % (intact.length - 5))),
        )
        if (value.length > 5) value[5 + (at % (value.length - 5))] = byte
        const expected = whole.deserialize(value)
        const read = reader.read(value)
        // Where avsc takes a negative long for a positive one.
        fc.pre(!/\d{16}/.test(inspect([read, expected], { depth: 5 })))
        expect(read instanceof DecodeFailure ? read.reason : read).toEqual(
          expected instanceof DecodeFailure ? expected.reason : essential(expected),
        )
        const all = reader.readWhole(value)
        expect(all instanceof DecodeFailure ? all.reason : all).toEqual(
          expected instanceof DecodeFailure ? expected.reason : expected,
        )
        const isTrade = !(expected instanceof DecodeFailure) && expected.type === 'Trade'
        expect(reader.identityOf(value) !== undefined).toBe(isTrade)
      }),
      { numRuns: 300, endOnFailure: true },
    )
  })

  it.each([
    ['no bytes', null, 'undecodable'],
    ['bytes in another format', Buffer.from('{"price":1}'), 'undecodable'],
    ['an id that the registry does not know', Buffer.from([0, 0, 0, 0, 8, 0]), 'unknown_schema_id'],
    ["another topic's schema", Buffer.from([0, 0, 0, 0, 4, 0]), 'unknown_schema_id'],
    ['a body that ends too early', Buffer.from([0, 0, 0, 0, 1, 0, 14]), 'undecodable'],
  ])('tells the reason for %s', (_name, bytes, reason) => {
    expect(reader.read(bytes)).toMatchObject({ reason })
  })

  it('reads what an unknown writer wrote once the registry knows it', async () => {
    const known = new Map<number, Schema>()
    const late = {
      writerSchema: (id: number) => Promise.resolve(known.get(id)),
    } as unknown as Registry
    const waiting = new MarketEventReader(late)
    const event = fc.sample(anyTrade, 1)[0] as MarketEvent
    const value = writtenWith(1, event)
    await waiting.prepare([{ value }])
    expect(waiting.read(value)).toMatchObject({ reason: 'unknown_schema_id' })
    known.set(1, current)
    await waiting.prepare([{ value }])
    expect(waiting.read(value)).toEqual(essential(event))
  })
})
