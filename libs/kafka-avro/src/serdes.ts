import avro from 'avsc'
import type { Type } from 'avsc'

import type { AggregatorState, Candle, FeedCursor, MarketEvent } from '@tickertape/market-model'

import { messageOf } from './errors.ts'
import { schemaOf } from './registry.ts'
import type { AvroTopic, Registry } from './registry.ts'
import { exchangeWideDecimals, fromWideBytes, toWideBytes } from './wide-decimals.ts'

/** The record that a topic's values hold. */
export interface TopicRecords {
  readonly 'market-events': MarketEvent
  readonly candles: Candle
  readonly 'candles-live': Candle
  readonly 'aggregator-state': AggregatorState
  readonly 'feed-cursors': FeedCursor
}

/** Why bytes could not be read; never thrown, for one bad record must not stop a flow. */
export class DecodeFailure {
  readonly reason: 'undecodable' | 'unknown_schema_id'
  readonly message: string

  constructor(reason: DecodeFailure['reason'], message: string) {
    this.reason = reason
    this.message = message
  }
}

/** Confluent's wire format: a zero byte, the schema id (big endian), the Avro body. */
const headerBytes = 5
const namespace = 'tickertape.'

/** Records whose one field is a union of records are `{type, value}` outside of Avro. */
const unionFields: Readonly<Partial<Record<AvroTopic, string>>> = {
  'market-events': 'event',
  'aggregator-state': 'state',
}

export class Serializer<T extends AvroTopic> {
  readonly schemaId: number
  readonly #type: Type
  readonly #toAvro: (value: unknown) => unknown
  readonly #unionField: string | undefined
  #scratch = Buffer.allocUnsafe(16_384)

  constructor(topic: T, schemaId: number) {
    this.schemaId = schemaId
    this.#type = avro.Type.forSchema(schemaOf(topic))
    this.#toAvro = exchangeWideDecimals(schemaOf(topic), toWideBytes)
    this.#unionField = unionFields[topic]
  }

  /** @throws Error of avsc if the record does not fit the schema: a defect of the caller. */
  serialize(record: TopicRecords[T]): Buffer {
    const value = this.#toAvro(wrapUnion(record, this.#unionField))
    let end = this.#type.encode(value, this.#scratch, headerBytes)
    if (end < 0) {
      // avsc answers with the missing length, negated.
      this.#scratch = Buffer.allocUnsafe(2 * (this.#scratch.length - end))
      end = this.#type.encode(value, this.#scratch, headerBytes)
    }
    this.#scratch[0] = 0
    this.#scratch.writeUInt32BE(this.schemaId, 1)
    return Buffer.from(this.#scratch.subarray(0, end))
  }
}

/**
 * Reads a topic's values, written by whichever version of its schema. Decoding is synchronous; a
 * writer's schema that is new to it is fetched by `prepare`.
 */
export class Deserializer<T extends AvroTopic> {
  readonly #type: Type
  readonly #registry: Registry
  readonly #fromAvro: (value: unknown) => unknown
  readonly #unionField: string | undefined
  /** undefined: the schema cannot be read as ours. */
  readonly #resolvers = new Map<number, ReturnType<Type['createResolver']> | undefined>()

  constructor(topic: T, registry: Registry) {
    this.#type = avro.Type.forSchema(schemaOf(topic))
    this.#registry = registry
    this.#fromAvro = exchangeWideDecimals(schemaOf(topic), fromWideBytes)
    this.#unionField = unionFields[topic]
  }

  /**
   * Fetches the writers' schemas that a batch needs and that are not known yet.
   *
   * @throws KafkaAvroError `registry_unreachable`: nothing can be said of the records then.
   */
  async prepare(values: Iterable<Buffer | null>): Promise<void> {
    let last = -1
    for (const value of values) {
      if (value === null || value.length < headerBytes || value[0] !== 0) continue
      const id = value.readUInt32BE(1)
      if (id === last) continue
      last = id
      if (!this.#resolvers.has(id)) await this.#load(id)
    }
  }

  deserialize(value: Buffer | null): TopicRecords[T] | DecodeFailure {
    if (value === null || value.length < headerBytes || value[0] !== 0) {
      return new DecodeFailure('undecodable', "Not in the registry's wire format")
    }
    const id = value.readUInt32BE(1)
    const resolver = this.#resolvers.get(id)
    if (resolver === undefined) {
      return new DecodeFailure('unknown_schema_id', `No readable schema has the id ${id}`)
    }
    try {
      const decoded = this.#type.decode(value, headerBytes, resolver)
      // avsc answers with a negative offset when the bytes end too early.
      if (decoded.offset !== value.length) {
        return new DecodeFailure('undecodable', 'The length of the bytes does not fit the schema')
      }
      // By construction of the schema that avsc has just read it with.
      return unwrapUnion(this.#fromAvro(decoded.value), this.#unionField) as TopicRecords[T]
    } catch (error) {
      return new DecodeFailure('undecodable', messageOf(error))
    }
  }

  async #load(id: number): Promise<void> {
    const schema = await this.#registry.writerSchema(id)
    // An id that the registry does not know is asked for again: it may know it later (restored, or a
    // replica that lags behind).
    if (schema !== undefined) this.#resolvers.set(id, this.#resolverFor(schema))
  }

  #resolverFor(
    schema: ReturnType<typeof schemaOf>,
  ): ReturnType<Type['createResolver']> | undefined {
    try {
      return this.#type.createResolver(avro.Type.forSchema(schema))
    } catch {
      // Some other topic's schema: its records are not ours to read.
      return undefined
    }
  }
}

function wrapUnion(record: unknown, field: string | undefined): unknown {
  if (field === undefined) return record
  // Records of a union are {type, value} by TopicRecords.
  const { type, value } = record as { type: string; value: unknown }
  return { [field]: { [namespace + type]: value } }
}

function unwrapUnion(record: unknown, field: string | undefined): unknown {
  if (field === undefined) return record
  // The schema's only field holds avsc's wrapper: one property, named for the branch.
  const branch = (record as Record<string, Record<string, unknown>>)[field] ?? {}
  for (const name in branch) {
    return { type: name.slice(namespace.length), value: branch[name] }
  }
  return undefined
}
