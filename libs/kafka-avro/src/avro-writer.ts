import { inspect } from 'node:util'

import type { Schema } from 'avsc'

import type { Decimal } from '@tickertape/market-model'

import { isBigDecimal, lowestLong, twosComplement } from './wide-decimals.ts'

/**
 * Writes records as Avro, byte for byte what avsc writes, by functions made once from the schema. It knows
 * what our schemas use, decimals of two branches and `{type, value}` for unions of records included, so
 * that nothing has to be exchanged, wrapped or copied before.
 *
 * What is written beyond the end of the bytes is lost, and `at` tells: the caller begins again with more.
 */
export interface Target {
  bytes: Buffer
  at: number
}

type Write = (target: Target, value: unknown) => void

interface Node {
  readonly type: unknown
  readonly logicalType?: string
  readonly name?: string
  readonly fields?: readonly { readonly name: string; readonly type: unknown; default?: unknown }[]
  readonly symbols?: readonly string[]
  readonly items?: unknown
  readonly values?: unknown
}

/** @throws Error if the schema has something that ours have not. */
export function avroWriter(schema: Schema): Write {
  return build(schema, new Map())
}

function build(schema: unknown, named: Map<string, Write>): Write {
  if (Array.isArray(schema)) return unionWriter(schema, named)
  if (typeof schema === 'string') {
    const write = primitives[schema] ?? named.get(schema)
    if (write === undefined) throw new Error(`No writer for the type ${schema}`)
    return write
  }
  // What is neither a name nor a union is an object, by Avro's grammar.
  const node = schema as Node
  const write = buildNode(node, named)
  if (node.name !== undefined) named.set(node.name, write)
  return write
}

function buildNode(node: Node, named: Map<string, Write>): Write {
  if (node.type === 'record') return recordWriter(node, named)
  if (node.type === 'enum') return enumWriter(node)
  if (node.type === 'array') return arrayWriter(build(node.items, named))
  if (node.type === 'map') return mapWriter(build(node.values, named))
  return build(node.type, named)
}

function recordWriter(node: Node, named: Map<string, Write>): Write {
  const fields = (node.fields ?? []).map((field) => ({
    name: field.name,
    write: build(field.type, named),
    absent: field.default,
  }))
  return (target, value) => {
    if (typeof value !== 'object' || value === null) throw misfit(node.name ?? 'a record', value)
    // A record of the schema is an object with its fields.
    const record = value as Record<string, unknown>
    for (const { name, write, absent } of fields) {
      const item = record[name]
      write(target, item === undefined ? absent : item)
    }
  }
}

function enumWriter(node: Node): Write {
  const indexes = new Map((node.symbols ?? []).map((symbol, index) => [symbol, index]))
  return (target, value) => {
    // Anything else has no index either.
    const index = indexes.get(value as string)
    if (index === undefined) throw misfit(node.name ?? 'an enum', value)
    writeLong(target, index)
  }
}

function arrayWriter(write: Write): Write {
  return (target, value) => {
    if (!Array.isArray(value)) throw misfit('an array', value)
    if (value.length > 0) {
      writeLong(target, value.length)
      for (const item of value) write(target, item)
    }
    writeLong(target, 0)
  }
}

function mapWriter(write: Write): Write {
  return (target, value) => {
    if (typeof value !== 'object' || value === null) throw misfit('a map', value)
    const keys = Object.keys(value)
    if (keys.length > 0) {
      writeLong(target, keys.length)
      for (const key of keys) {
        writeString(target, key)
        // A map of the schema is a plain object.
        write(target, (value as Record<string, unknown>)[key])
      }
    }
    writeLong(target, 0)
  }
}

function unionWriter(branches: readonly unknown[], named: Map<string, Write>): Write {
  const writers = branches.map((branch) => build(branch, named))
  const nothing = branches.indexOf('null')
  const wide = branches.findIndex(isBigDecimal)
  if (wide >= 0) return decimalWriter(nothing, branches.findIndex(isDecimal), wide)
  const records = branches.filter((branch) => (branch as Node).type === 'record')
  if (records.length === branches.length) return recordUnionWriter(branches, writers)
  const something = nothing === 0 ? 1 : 0
  const write = writers[something]
  if (branches.length !== 2 || nothing < 0 || write === undefined) {
    throw new Error(`No writer for the union ${JSON.stringify(branches)}`)
  }
  return (target, value) => {
    if (value === null) writeLong(target, nothing)
    else {
      writeLong(target, something)
      write(target, value)
    }
  }
}

function recordUnionWriter(branches: readonly unknown[], writers: readonly Write[]): Write {
  const byName = new Map(
    branches.map((branch, index) => [(branch as Node).name, { index, write: writers[index] }]),
  )
  return (target, value) => {
    // A record of a union is {type, value}, by the types of what is written.
    const { type, value: record } = value as { type: string; value: unknown }
    const branch = byName.get(type)
    if (branch?.write === undefined) throw misfit('a union of records', type)
    writeLong(target, branch.index)
    branch.write(target, record)
  }
}

function isDecimal(branch: unknown): boolean {
  return branch === 'Decimal' || (branch as Node).name === 'Decimal'
}

function decimalWriter(nothing: number, narrow: number, wide: number): Write {
  return (target, value) => {
    if (value === null) {
      if (nothing < 0) throw misfit('a decimal', value)
      writeLong(target, nothing)
      return
    }
    // Every union of these branches is a Decimal.
    const { mantissa, exponent } = value as Decimal
    if (typeof mantissa === 'number' && mantissa >= lowestLong) {
      writeLong(target, narrow)
      writeLong(target, mantissa)
      writeLong(target, exponent)
    } else {
      writeLong(target, wide)
      writeWideDecimal(target, BigInt(mantissa), exponent)
    }
  }
}

/** What avsc takes. */
const highestLong = Number.MAX_SAFE_INTEGER - 1

function writeBoolean(target: Target, value: unknown): void {
  if (typeof value !== 'boolean') throw misfit('a boolean', value)
  target.bytes[target.at++] = value ? 1 : 0
}

/** Avro's zigzag number of variable length, for int and long. */
function writeLong(target: Target, value: unknown): void {
  if (!Number.isInteger(value)) throw misfit('an integer', value)
  // Checked by the line above.
  const number = value as number
  const { bytes } = target
  let { at } = target
  if (number >= -0x40000000 && number < 0x40000000) {
    let zigzag = (number << 1) ^ (number >> 31)
    while (zigzag > 0x7f) {
      bytes[at++] = (zigzag & 0x7f) | 0x80
      zigzag >>>= 7
    }
    bytes[at++] = zigzag
    target.at = at
    return
  }
  if (number > highestLong || number < lowestLong) throw misfit('a long that avsc reads', value)
  let zigzag = number >= 0 ? number * 2 : -number * 2 - 1
  while (zigzag > 0x7fffffff) {
    bytes[at++] = (zigzag & 0x7f) | 0x80
    zigzag = Math.floor(zigzag / 0x80)
  }
  while (zigzag > 0x7f) {
    bytes[at++] = (zigzag & 0x7f) | 0x80
    zigzag >>>= 7
  }
  bytes[at++] = zigzag
  target.at = at
}

function writeInt(target: Target, value: unknown): void {
  if (typeof value !== 'number' || (value | 0) !== value) throw misfit('an int', value)
  writeLong(target, value)
}

function writeDouble(target: Target, value: unknown): void {
  if (typeof value !== 'number') throw misfit('a double', value)
  if (target.at + 8 <= target.bytes.length) target.bytes.writeDoubleLE(value, target.at)
  target.at += 8
}

/** Letters up to which a string is copied by one after the other, in which calls into Node cost more. */
const shortString = 32

function writeString(target: Target, value: unknown): void {
  if (typeof value !== 'string') throw misfit('a string', value)
  const { length } = value
  const { bytes } = target
  if (length <= shortString) {
    // One byte of length, then as many as there are letters: rewritten below if one is not ASCII.
    const start = target.at + 1
    let at = 0
    for (; at < length; at += 1) {
      const letter = value.charCodeAt(at)
      if (letter > 0x7f) break
      bytes[start + at] = letter
    }
    if (at === length) {
      bytes[start - 1] = length << 1
      target.at = start + length
      return
    }
  }
  const byteLength = Buffer.byteLength(value)
  writeLong(target, byteLength)
  if (target.at + byteLength <= bytes.length) bytes.write(value, target.at, 'utf8')
  target.at += byteLength
}

function writeBytes(target: Target, value: unknown): void {
  if (!(value instanceof Uint8Array)) throw misfit('bytes', value)
  writeLong(target, value.length)
  if (target.at + value.length <= target.bytes.length) target.bytes.set(value, target.at)
  target.at += value.length
}

const primitives: Readonly<Record<string, Write>> = {
  null: (_target, value) => {
    if (value !== null) throw misfit('null', value)
  },
  boolean: writeBoolean,
  int: writeInt,
  long: writeLong,
  double: writeDouble,
  string: writeString,
  bytes: writeBytes,
}

/** Layout of Avro's `big-decimal`: the unscaled value as two's complement bytes, then the scale. */
function writeWideDecimal(target: Target, mantissa: bigint, exponent: unknown): void {
  const unscaled = twosComplement(mantissa)
  const lengthAt = target.at
  // The whole is shorter than 64 bytes for all but sums of absurd size: one byte for its length.
  target.at += 1
  writeBytes(target, unscaled)
  writeLong(target, typeof exponent === 'number' ? 0 - exponent : exponent)
  const length = target.at - lengthAt - 1
  if (length < 0x40) {
    target.bytes[lengthAt] = length << 1
    return
  }
  target.at = lengthAt
  writeLong(target, length)
  writeBytes(target, unscaled)
  writeLong(target, typeof exponent === 'number' ? 0 - exponent : exponent)
}

function misfit(what: string, value: unknown): Error {
  return new Error(`A record does not fit its schema: not ${what}: ${inspect(value, { depth: 0 })}`)
}
