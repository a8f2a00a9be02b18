import avro from 'avsc'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { normalizeDecimal } from '@tickertape/market-model'

import { schemaOf } from './registry.ts'
import type { AvroTopic, Registry } from './registry.ts'
import { Deserializer, Serializer } from './serdes.ts'
import { exchangeWideDecimals, toWideBytes } from './wide-decimals.ts'

interface Node {
  readonly type: unknown
  readonly name?: string
  readonly logicalType?: string
  readonly fields?: readonly { readonly name: string; readonly type: unknown }[]
  readonly symbols?: readonly string[]
  readonly items?: unknown
  readonly values?: unknown
}

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.constant('binance:BTCUSDT'),
  fc.constant('x'.repeat(3_000)),
)
// avsc writes longs below -2^52 wrong.
const long = fc.oneof(
  fc.integer({ min: -(2 ** 52), max: 2 ** 53 - 2 }),
  fc.integer({ min: -70, max: 70 }),
  fc.constantFrom(2 ** 30, 2 ** 30 - 1, -(2 ** 30), -(2 ** 30) - 1, 2 ** 31, -(2 ** 31), 2 ** 35),
)
const decimal = fc
  .tuple(
    fc.oneof(
      fc.bigInt({ min: -(10n ** 60n), max: 10n ** 60n }),
      fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }),
      fc.constantFrom(
        2n ** 127n,
        -(2n ** 127n),
        2n ** 63n,
        -(2n ** 63n),
        2n ** 71n,
        10n ** 300n + 1n,
      ),
    ),
    fc.integer({ min: -30, max: 30 }),
  )
  .map(([mantissa, exponent]) => normalizeDecimal({ mantissa, exponent }))
const primitives: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  null: fc.constant(null),
  boolean: fc.boolean(),
  int: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  long,
  double: fc.double({ noNaN: true }),
  string: text,
  bytes: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
}

/** Records as the code holds them: decimals whole, unions of records as {type, value}. */
function valuesOf(
  schema: unknown,
  named: Map<string, fc.Arbitrary<unknown>>,
): fc.Arbitrary<unknown> {
  if (typeof schema === 'string')
    return primitives[schema] ?? named.get(schema) ?? fc.constant(null)
  if (Array.isArray(schema)) {
    const branches = schema as readonly unknown[]
    const ofBranches = branches.map((branch) => valuesOf(branch, named))
    const some = branches.includes('null') ? fc.option : <T>(values: fc.Arbitrary<T>) => values
    if (branches.some((branch) => (branch as Node).logicalType === 'big-decimal'))
      return some(decimal)
    if (branches.some((branch) => branch === 'null')) return fc.oneof(...ofBranches)
    return fc.oneof(
      ...branches.map((branch, at) =>
        fc.record({
          type: fc.constant((branch as Node).name ?? ''),
          value: ofBranches[at] ?? fc.constant(null),
        }),
      ),
    )
  }
  // What is neither a name nor a union is an object, by Avro's grammar.
  const node = schema as Node
  const values = valuesOfNode(node, named)
  if (node.name !== undefined) named.set(node.name, values)
  return values
}

function valuesOfNode(
  node: Node,
  named: Map<string, fc.Arbitrary<unknown>>,
): fc.Arbitrary<unknown> {
  switch (node.type) {
    case 'record':
      return fc.record(
        Object.fromEntries(
          (node.fields ?? []).map(({ name, type }) => [name, valuesOf(type, named)]),
        ),
      )
    case 'enum':
      return fc.constantFrom(...(node.symbols ?? []))
    case 'array':
      return fc.array(valuesOf(node.items, named), { maxLength: 3 })
    case 'map': {
      const keys = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 12 })
      return fc.dictionary(keys, valuesOf(node.values, named), {
        maxKeys: 3,
        noNullPrototype: true,
      })
    }
    default:
      return valuesOf(node.type, named)
  }
}

const wrapped: Readonly<Partial<Record<AvroTopic, string>>> = {
  'market-events': 'event',
  'aggregator-state': 'state',
}

/** What is written into the topic, which for some is the one field of its record. */
function recordsOf(topic: AvroTopic): fc.Arbitrary<unknown> {
  const field = wrapped[topic]
  const whole = valuesOf(schemaOf(topic), new Map())
  return field === undefined
    ? whole
    : whole.map((value) => (value as Record<string, unknown>)[field])
}

/** The bytes by avsc. */
function written(topic: AvroTopic, record: unknown): Buffer {
  const field = wrapped[topic]
  const { type, value } = record as { type?: unknown; value?: unknown }
  const wrappedRecord =
    field === undefined ? record : { [field]: { [`tickertape.${String(type)}`]: value } }
  const exchanged = exchangeWideDecimals(schemaOf(topic), toWideBytes)(wrappedRecord)
  const body = avro.Type.forSchema(schemaOf(topic)).toBuffer(exchanged)
  return Buffer.concat([Buffer.from([0, 0, 0, 0, 7]), body])
}

const avroTopics = ['market-events', 'candles', 'aggregator-state', 'feed-cursors'] as const

describe.each(avroTopics)('records of %s', { timeout: 60_000 }, (topic) => {
  const serializer = new Serializer(topic, 7)

  it('are written as avsc writes them, and read back equal', async () => {
    const lookup = { writerSchema: () => Promise.resolve(schemaOf(topic)) }
    // The deserializer uses this one method of it.
    const deserializer = new Deserializer(topic, lookup as unknown as Registry)
    await deserializer.prepare([Buffer.from([0, 0, 0, 0, 7])])
    fc.assert(
      fc.property(recordsOf(topic), (record) => {
        // Made from the schema, so of its type.
        const bytes = serializer.serialize(record as never)
        expect(bytes.equals(written(topic, record))).toBe(true)
        expect(deserializer.deserialize(bytes)).toEqual(record)
      }),
      { numRuns: 200 },
    )
  })

  it('that do not fit are refused', () => {
    const record = fc.sample(recordsOf(topic), { numRuns: 1, seed: 1 })[0] as Record<
      string,
      unknown
    >
    const target = topic in wrapped ? (record['value'] as Record<string, unknown>) : record
    for (const name of Object.keys(target)) {
      const spoiled = { ...target, [name]: Symbol('no value of any type') }
      const whole = topic in wrapped ? { ...record, value: spoiled } : spoiled
      expect(() => serializer.serialize(whole as never), name).toThrow()
    }
  })

  it('stay as they are while others are written', () => {
    const records = fc.sample(recordsOf(topic), { numRuns: 300, seed: 2 })
    const serialized = records.map((record) => serializer.serialize(record as never))
    for (const [at, record] of records.entries()) {
      expect(serialized[at]?.equals(written(topic, record))).toBe(true)
    }
  })
})
