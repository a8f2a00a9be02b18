import avro from 'avsc'
import type { Schema, Type } from 'avsc'

import type { Decimal } from '@tickertape/market-model'

/**
 * Decimals as Avro holds them: the record Decimal where the mantissa is a safe integer, else bytes in
 * the layout of Avro's `big-decimal` (the unscaled value as two's complement bytes, then the scale).
 * avsc cannot tell the branches of a union of a record and a logical type apart, so the wide ones are
 * exchanged here, before and after it, by functions made once from the schema. `undefined` where a
 * schema has no decimals.
 */
export type Exchange = (value: unknown) => unknown

interface Annotated {
  readonly type?: unknown
  readonly logicalType?: string
  readonly name?: string
  readonly fields?: readonly { readonly name: string; readonly type: unknown }[]
  readonly items?: unknown
  readonly values?: unknown
}

export function exchangeWideDecimals(schema: Schema, leaf: Exchange): Exchange {
  const named = new Map<string, Exchange | undefined>()
  return build(schema, leaf, named) ?? ((value) => value)
}

function build(
  schema: unknown,
  leaf: Exchange,
  named: Map<string, Exchange | undefined>,
): Exchange | undefined {
  if (typeof schema === 'string') return named.get(schema)
  if (Array.isArray(schema)) return buildUnion(schema, leaf, named)
  // What is neither a name nor a union is an object, by Avro's grammar.
  const node = schema as Annotated
  if (node.type === 'record') return buildRecord(node, leaf, named)
  if (node.type === 'array') {
    const inner = build(node.items, leaf, named)
    return inner && ((value) => mapIfChanged(value as readonly unknown[], inner))
  }
  if (node.type === 'map') {
    const inner = build(node.values, leaf, named)
    return (
      inner &&
      ((value) =>
        Object.fromEntries(
          // A map of the schema is a plain object.
          Object.entries(value as object).map(([key, item]) => [key, inner(item)]),
        ))
    )
  }
  return undefined
}

function buildUnion(
  branches: readonly unknown[],
  leaf: Exchange,
  named: Map<string, Exchange | undefined>,
): Exchange | undefined {
  if (branches.some(isBigDecimal)) {
    branches.forEach((branch) => build(branch, leaf, named))
    return (value) => (value === null ? null : leaf(value))
  }
  const records = branches.filter((branch) => nameOf(branch) !== undefined)
  if (records.length > 1) {
    // Several records: avsc wraps the value under its full name.
    const byName = new Map(
      records.map((branch) => [nameOf(branch) ?? '', build(branch, leaf, named)]),
    )
    return (value) => {
      const [entry] = Object.entries(value as object)
      if (entry === undefined) return value
      const inner = byName.get(entry[0].slice(entry[0].lastIndexOf('.') + 1))
      if (inner === undefined) return value
      const exchanged = inner(entry[1])
      return exchanged === entry[1] ? value : { [entry[0]]: exchanged }
    }
  }
  const inner = branches.map((branch) => build(branch, leaf, named)).find(Boolean)
  return inner && ((value) => (value === null ? null : inner(value)))
}

function buildRecord(
  record: Annotated,
  leaf: Exchange,
  named: Map<string, Exchange | undefined>,
): Exchange | undefined {
  const fields = (record.fields ?? [])
    .map(({ name, type }) => ({ name, exchange: build(type, leaf, named) }))
    .filter((field): field is { name: string; exchange: Exchange } => field.exchange !== undefined)
  const exchange: Exchange | undefined =
    fields.length === 0
      ? undefined
      : (value) => {
          // A record of the schema is an object with its fields.
          const source = value as Record<string, unknown>
          let target = source
          for (const field of fields) {
            const before = source[field.name]
            const after = field.exchange(before)
            if (after === before) continue
            if (target === source) target = { ...source }
            target[field.name] = after
          }
          return target
        }
  if (record.name !== undefined) named.set(record.name, exchange)
  return exchange
}

function mapIfChanged(values: readonly unknown[], exchange: Exchange): readonly unknown[] {
  const mapped = values.map(exchange)
  return mapped.some((value, at) => value !== values[at]) ? mapped : values
}

export function isBigDecimal(schema: unknown): boolean {
  return (schema as Annotated).logicalType === 'big-decimal'
}

function nameOf(schema: unknown): string | undefined {
  const node = schema as Annotated
  return node.type === 'record' ? node.name : undefined
}

const unscaledType: Type = avro.Type.forSchema({
  type: 'record',
  name: 'BigDecimal',
  fields: [
    { name: 'unscaled', type: 'bytes' },
    { name: 'scale', type: 'int' },
  ],
})

/**
 * Below this avsc writes another number than it is given: the zigzag form is odd and beyond 2^53, where
 * doubles are even.
 */
export const lowestLong = -(2 ** 52)
const widestNarrow = BigInt(Number.MAX_SAFE_INTEGER - 1)

/** Leaf for writing: a decimal that avsc's long cannot hold becomes bytes, any other stays. */
export function toWideBytes(value: unknown): unknown {
  const decimal = value as Decimal | null | undefined
  const mantissa = decimal?.mantissa
  if (mantissa === undefined || (typeof mantissa === 'number' && mantissa >= lowestLong)) {
    return value
  }
  return unscaledType.toBuffer({
    unscaled: twosComplement(BigInt(mantissa)),
    scale: 0 - (decimal?.exponent ?? 0),
  })
}

/** Leaf for reading: bytes become a decimal, with a bigint if it is wide; any other stays. */
export function fromWideBytes(value: unknown): unknown {
  if (!Buffer.isBuffer(value)) return value
  // The type above has just these fields.
  const { unscaled, scale } = unscaledType.fromBuffer(value) as { unscaled: Buffer; scale: number }
  const mantissa = fromTwosComplement(unscaled)
  const isNarrow = mantissa <= widestNarrow && mantissa >= -widestNarrow
  // 0 - 0 is 0, where -0 would not equal it.
  return { mantissa: isNarrow ? Number(mantissa) : mantissa, exponent: 0 - scale }
}

const sixteen = Buffer.alloc(16)

/** @returns the shortest big-endian form; of up to 16 bytes a view that the next call overwrites. */
export function twosComplement(value: bigint): Buffer {
  const low = BigInt.asIntN(64, value)
  if (low !== value && BigInt.asIntN(128, value) !== value) return longTwosComplement(value)
  sixteen.writeBigInt64BE(value >> 64n, 0)
  sixteen.writeBigInt64BE(low, 8)
  const sign = value < 0n ? 0xff : 0
  let start = 0
  // A byte of nothing but the sign goes if the next one begins with it.
  while (start < 15 && sixteen[start] === sign && ((sixteen[start + 1] ?? 0) ^ sign) < 0x80) {
    start += 1
  }
  return sixteen.subarray(start)
}

function longTwosComplement(value: bigint): Buffer {
  let length = 17
  while (BigInt.asIntN(length * 8, value) !== value) length += 1
  const hex = BigInt.asUintN(length * 8, value).toString(16)
  return Buffer.from(hex.padStart(length * 2, '0'), 'hex')
}

function fromTwosComplement(bytes: Buffer): bigint {
  if (bytes.length === 0) return 0n
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`))
}
