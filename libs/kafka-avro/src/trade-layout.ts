import avro from 'avsc'
import type { Schema } from 'avsc'

import type { Trade } from '@tickertape/market-model'

/**
 * How a trade is expected to begin, as avsc prints types. Trades written otherwise (by an
 * older or newer version) are read by way of the resolved schemas: slower, with the same result.
 */
const decimal =
  '{"name":"tickertape.Decimal","type":"record","fields":[{"name":"mantissa","type":"long"},{"name":"exponent","type":"int"}]}'
const layout: readonly (readonly [name: keyof Trade, type: string])[] = [
  ['venue', '"string"'],
  ['feedId', '"string"'],
  ['instrument', '"string"'],
  ['tradeId', '"string"'],
  ['version', '"int"'],
  [
    'status',
    '{"name":"tickertape.TradeStatus","type":"enum","symbols":["confirmed","pending","cancelled"]}',
  ],
  ['sequence', '["null","long"]'],
  ['venueOrder', '["null","long"]'],
  ['price', `[${decimal},"bytes"]`],
  ['quantity', '["tickertape.Decimal","bytes"]'],
  ['notionalUsd', '["null","tickertape.Decimal","bytes"]'],
  ['takerSide', '{"name":"tickertape.TakerSide","type":"enum","symbols":["buy","sell","unknown"]}'],
  ['eventTime', '"long"'],
  ['receivedAt', '"long"'],
]
/** What follows in this version: the facts that not every venue gives. */
const wideOrNot = ['null', 'tickertape.Decimal', 'bytes'] as const
const optionalFacts: readonly (readonly [name: keyof Trade, ...types: readonly string[]])[] = [
  ['indexPrice', ...wideOrNot],
  ['markPrice', ...wideOrNot],
  ['impliedVolatility', ...wideOrNot],
  ['liquidation', 'null', 'string'],
  ['tickDirection', 'null', 'int'],
  ['counterparty', 'null', 'string'],
  ['book', 'null', 'string'],
  ['maturesAt', 'null', 'long'],
  ['txHash', 'null', 'string'],
  ['baseToken', 'null', 'string'],
  ['quoteToken', 'null', 'string'],
]

/** How to read what one schema wrote. */
export interface Plan {
  /** Trade's place in the union of records. */
  readonly tradeBranch: number
  /** What follows the fields of `layout`, to be skipped: for each field its branches. */
  readonly rest: readonly SkippedField[]
  /** Whether the rest is this version's optional facts, all of them in their order. */
  readonly hasAllFacts: boolean
}

export interface SkippedField {
  readonly isUnion: boolean
  readonly branches: readonly Skip[]
}

export type Skip = 'nothing' | 'number' | 'string' | 'decimal' | 'wide decimal'

interface PrintedRecord {
  readonly name?: string
  readonly type: unknown
  readonly fields?: readonly { readonly name: string; readonly type: unknown }[]
}

/** @returns undefined if the schema's trades are not laid out as expected. */
export function planFor(schema: Schema): Plan | undefined {
  try {
    // Without attributes avsc prints a type in one way only.
    const printed = avro.Type.forSchema(schema).schema() as unknown as PrintedRecord
    const union = printed.fields?.length === 1 ? printed.fields[0]?.type : undefined
    if (!Array.isArray(union)) return undefined
    // A union's branches are names or printed types.
    const branches = union as readonly PrintedRecord[]
    const tradeBranch = branches.findIndex(({ name }) => name === 'tickertape.Trade')
    const fields = branches[tradeBranch]?.fields ?? []
    const begins = layout.every(
      ([name, type], at) => fields[at]?.name === name && JSON.stringify(fields[at].type) === type,
    )
    if (!begins) return undefined
    const rest = fields.slice(layout.length).map(({ type }) => skippedField(type))
    if (!rest.every((field) => field !== undefined)) return undefined
    return { tradeBranch, rest, hasAllFacts: holdsAllFacts(fields.slice(layout.length)) }
  } catch {
    // Not a schema of ours: the deserializer says so for each record.
    return undefined
  }
}

function holdsAllFacts(fields: NonNullable<PrintedRecord['fields']>): boolean {
  if (fields.length !== optionalFacts.length) return false
  return optionalFacts.every(
    ([name, ...types], at) =>
      fields[at]?.name === name && JSON.stringify(fields[at].type) === JSON.stringify(types),
  )
}

function skippedField(type: unknown): SkippedField | undefined {
  const isUnion = Array.isArray(type)
  const branches = (isUnion ? type : [type]).map((branch) => skipOf(branch))
  return branches.every((skip) => skip !== undefined) ? { isUnion, branches } : undefined
}

function skipOf(type: unknown): Skip | undefined {
  if (type === 'null') return 'nothing'
  if (type === 'int' || type === 'long') return 'number'
  if (type === 'string') return 'string'
  // The other branch of a decimal; nothing else is bytes.
  if (type === 'bytes') return 'wide decimal'
  if (type === 'tickertape.Decimal') return 'decimal'
  return undefined
}
