import { DecodeFailure, Deserializer, rejectedOrigin } from '@tickertape/kafka-avro'
import type { Message, Registry, Serializer } from '@tickertape/kafka-avro'
import type { Candle } from '@tickertape/market-model'

import type { PassedPartition } from './reference-market-pass.ts'
import type { MarketRecord } from './reference-market.ts'
import type { Installation } from './three-instances-installation.ts'

/** A record's key and value, for a comparison of bytes. */
export interface KeyedBytes {
  readonly key: string | null
  readonly value: Buffer | null
}

export function keyedBytes({ key, value }: Message): KeyedBytes {
  return { key: key === null || key === undefined ? null : String(key), value }
}

/** Where two sequences part, shown by `show`; undefined where they are equal to the last byte. */
export function firstDifference(
  actual: readonly KeyedBytes[],
  expected: readonly KeyedBytes[],
  show: (record: KeyedBytes) => unknown,
): { at: number; of: number; actual: unknown; expected: unknown } | undefined {
  const length = Math.max(actual.length, expected.length)
  for (let at = 0; at < length; at += 1) {
    const [left, right] = [actual[at], expected[at]]
    if (left !== undefined && right !== undefined && areEqual(left, right)) continue
    return {
      at,
      of: expected.length,
      actual: left === undefined ? 'nothing' : show(left),
      expected: right === undefined ? 'nothing' : show(right),
    }
  }
  return undefined
}

function areEqual(a: KeyedBytes, b: KeyedBytes): boolean {
  if (a.key !== b.key) return false
  return a.value === null || b.value === null ? a.value === b.value : a.value.equals(b.value)
}

export function candleBytes(
  candles: readonly Candle[],
  serializer: Serializer<'candles'>,
): readonly KeyedBytes[] {
  return candles.map((candle) => ({
    key: candle.instrumentId,
    value: serializer.serialize(candle),
  }))
}

/** Reads candles back; throws where one cannot be read. */
export class CandleReader {
  readonly #deserializer: Deserializer<'candles'>

  constructor(registry: Registry) {
    this.#deserializer = new Deserializer('candles', registry)
  }

  async prepare(partitions: readonly (readonly Message[])[]): Promise<void> {
    for (const messages of partitions) {
      await this.#deserializer.prepare(messages.map(({ value }) => value))
    }
  }

  decode(value: Buffer | null): Candle {
    const candle = this.#deserializer.deserialize(value)
    if (candle instanceof DecodeFailure) throw new Error(candle.message)
    return candle
  }
}

/** What a rejected record says of itself, with its bytes in hexadecimal. */
export interface RejectedFacts {
  readonly stage: string
  readonly reason: string
  readonly partition: number | null
  readonly offset: number | null
  readonly key: string | null
  readonly value: string | null
}

export function rejectedFacts(messages: readonly Message[]): readonly RejectedFacts[] {
  return messages.map((message) => {
    const { stage, reason, partition, offset } = rejectedOrigin(message.headers)
    const { key, value } = keyedBytes(message)
    return { stage, reason, partition, offset, key, value: value?.toString('hex') ?? null }
  })
}

/** What the topic must hold of one partition. */
export function expectedRejections(
  { rejected }: PassedPartition,
  log: readonly MarketRecord[],
  installation: Installation,
): readonly RejectedFacts[] {
  return rejected.map(({ offset, reason }) => {
    const record = log[offset]
    if (record === undefined) throw new Error(`The log has no offset ${offset}`)
    const { partition, key } = record
    const value = installation.bytesOf(record)?.toString('hex') ?? null
    return { stage: 'aggregator', reason, partition, offset, key, value }
  })
}
