/**
 * Writes what TypeScript knows of the Avro schemas: the record types into market-model, the schemas
 * themselves (a bundle has no .avsc files beside it) into this lib.
 *
 * Run: node libs/kafka-avro/generate-records.ts. A test fails while the written files are stale.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

type Schema = string | readonly Schema[] | NamedSchema
interface NamedSchema {
  readonly type: string | Schema
  readonly name?: string
  readonly doc?: string
  readonly logicalType?: string
  readonly fields?: readonly {
    readonly name: string
    readonly type: Schema
    readonly doc: string
  }[]
  readonly symbols?: readonly string[]
  readonly items?: Schema
  readonly values?: Schema
}

const schemaFolder = new URL('./schemas/', import.meta.url)
export const recordsFile = fileURLToPath(
  new URL('../market-model/src/records.generated.ts', import.meta.url),
)
export const schemasFile = fileURLToPath(new URL('./src/schemas.generated.ts', import.meta.url))

const primitives: Readonly<Record<string, string>> = {
  null: 'null',
  boolean: 'boolean',
  int: 'number',
  long: 'number',
  double: 'number',
  string: 'string',
  bytes: 'Uint8Array',
}

/** Both generated files, by path. */
export function generate(): ReadonlyMap<string, string> {
  const declarations = new Map<string, string>()
  const schemas: string[] = []
  for (const file of readdirSync(schemaFolder).toSorted()) {
    const text = readFileSync(new URL(file, schemaFolder), 'utf8')
    // The files are ours and the registry checks them again.
    const schema = JSON.parse(text) as NamedSchema
    typeOf(schema, declarations)
    schemas.push(`  '${file.replace('.avsc', '')}': ${JSON.stringify(schema)},`)
  }
  const head =
    '// Made by libs/kafka-avro/generate-records.ts from the Avro schemas. Do not edit.\n'
  return new Map([
    [
      recordsFile,
      `${head}import type { Decimal } from './decimal.ts'\n\n${[...declarations.values()].join('\n\n')}\n`,
    ],
    [schemasFile, `${head}export const avroSchemas = {\n${schemas.join('\n')}\n} as const\n`],
  ])
}

function typeOf(schema: Schema, declarations: Map<string, string>): string {
  if (typeof schema === 'string') return primitives[schema] ?? schema
  if (Array.isArray(schema)) return unionOf(schema as readonly Schema[], declarations)
  const named = schema as NamedSchema
  if (named.type === 'record') {
    declareRecord(named, declarations)
    return named.name ?? ''
  }
  if (named.type === 'enum') {
    const symbols = (named.symbols ?? []).map((symbol) => `'${symbol}'`).join(' | ')
    declarations.set(named.name ?? '', `export type ${named.name} = ${symbols}`)
    return named.name ?? ''
  }
  if (named.type === 'array') return `readonly ${typeOf(named.items ?? 'null', declarations)}[]`
  if (named.type === 'map') {
    return `Readonly<Record<string, ${typeOf(named.values ?? 'null', declarations)}>>`
  }
  return typeOf(named.type, declarations)
}

/** A decimal's second branch, and null, need no name of their own; records in a union get one. */
function unionOf(branches: readonly Schema[], declarations: Map<string, string>): string {
  const types = branches
    .filter((branch) => !isWideDecimal(branch))
    .map((branch) => typeOf(branch, declarations))
  const nonNull = types.filter((type) => type !== 'null')
  if (nonNull.length > 1) {
    return nonNull
      .map((type) => `{ readonly type: '${type}'; readonly value: ${type} }`)
      .join(' | ')
  }
  return [...nonNull, ...types.filter((type) => type === 'null')].join(' | ')
}

function isWideDecimal(schema: Schema): boolean {
  return (
    typeof schema === 'object' && 'logicalType' in schema && schema.logicalType === 'big-decimal'
  )
}

function declareRecord(record: NamedSchema, declarations: Map<string, string>): void {
  const name = record.name ?? ''
  // Decimal is written by hand: its mantissa is a number or, in the wide branch, a bigint.
  if (name === 'Decimal') return
  const fields = record.fields ?? []
  const only = fields.length === 1 ? fields[0] : undefined
  if (only !== undefined && Array.isArray(only.type)) {
    const union = typeOf(only.type, declarations)
    declarations.set(name, `/** ${record.doc} */\nexport type ${name} = ${union}`)
    return
  }
  const lines = fields.map(
    (field) =>
      `  /** ${field.doc} */\n  readonly ${field.name}: ${typeOf(field.type, declarations)}`,
  )
  declarations.set(name, `/** ${record.doc} */\nexport interface ${name} {\n${lines.join('\n')}\n}`)
}

if (import.meta.main) {
  for (const [path, text] of generate()) writeFileSync(path, text)
}
