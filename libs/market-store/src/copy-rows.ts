import type { Decimal } from '@tickertape/market-model'
import { getTableColumns } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'

import { CopyBuffer } from './copy-buffer.ts'
import type { Fields, SourcePosition } from './fields.ts'

/** How rows of one table are copied from records of type `Source`. */
export interface CopyFormat<Source> {
  readonly table: PgTable
  readonly fields: readonly CopyField<Source>[]
}

interface CopyField<Source> {
  readonly name: string
  append(buffer: CopyBuffer, source: Source, position: SourcePosition): void
}

type Append = (buffer: CopyBuffer, value: unknown) => void

/** By the SQL type of a column. The values are what `Fields` requires of columns of that type. */
const appenders: ReadonlyMap<string, Append> = new Map<string, Append>([
  ['text', (buffer, value) => buffer.text(value as string)],
  ['integer', (buffer, value) => buffer.integer(value as number)],
  ['bigint', (buffer, value) => buffer.bigint(value as number)],
  ['numeric', (buffer, value) => buffer.numeric(value as Decimal)],
  ['timestamp (3) with time zone', (buffer, value) => buffer.time(value as number)],
  ['boolean', (buffer, value) => buffer.boolean(value as boolean)],
  ['jsonb', (buffer, value) => buffer.json(value)],
  ['bytea', (buffer, value) => buffer.bytes(value as Uint8Array)],
])

/** Derives the format from the table: columns, their order and their types. */
export function copyFormat<T extends PgTable, Source>(
  table: T,
  fields: Fields<T, Source>,
): CopyFormat<Source> {
  const columns = Object.entries(getTableColumns(table))
  return {
    table,
    fields: columns.map(([key, column]) => {
      const append = appenders.get(column.getSQLType())
      if (append === undefined) throw new Error(`${column.name} has a type that is not copied`)
      // Keys of drizzle's columns are keys of the fields that derive from them.
      const valueOf = fields[key as keyof Fields<T, Source>]
      return {
        name: column.name,
        append: (buffer, source, position) => {
          const value = valueOf(source, position)
          if (value === null) buffer.null()
          else append(buffer, value)
        },
      }
    }),
  }
}

const signature = Buffer.from('PGCOPY\n\u00ff\r\n\0', 'latin1')
/** No flags, no extension. */
const header = Buffer.concat([signature, Buffer.alloc(8)])
const trailer = Buffer.from([0xff, 0xff])

const initialBytes = 2 ** 18

/**
 * Rows on their way into a table, as the bytes that COPY reads: no objects or texts of a row are made.
 *
 * Their memory is kept by `clear`, so that one instance serves batch after batch; but never while a copy
 * of its rows is under way.
 */
export class CopyRows<Source> {
  readonly format: CopyFormat<Source>
  readonly #buffer = new CopyBuffer(initialBytes)
  /** Where each row ends. */
  readonly #ends: number[] = []

  constructor(format: CopyFormat<Source>) {
    this.format = format
  }

  /** Number of rows. */
  get length(): number {
    return this.#ends.length
  }

  /** Size of the rows. */
  get bytes(): number {
    return this.#buffer.end
  }

  /**
   * Adds a row behind the others.
   *
   * @throws MarketStoreError `not_storable` for a number that its column cannot hold; there is no row then.
   */
  append(source: Source, position: SourcePosition): void {
    const buffer = this.#buffer
    const begin = buffer.end
    const { fields } = this.format
    try {
      buffer.beginRow(fields.length)
      for (const field of fields) field.append(buffer, source, position)
    } catch (error) {
      buffer.truncate(begin)
      throw error
    }
    this.#ends.push(buffer.end)
  }

  /** What COPY reads for the rows from number `from` up to, not with, `to`; they share this one's memory. */
  chunks(from = 0, to: number = this.length): readonly Uint8Array[] {
    const begin = this.#ends[from - 1] ?? 0
    const end = this.#ends[to - 1] ?? 0
    return [header, this.#buffer.subarray(begin, end), trailer]
  }

  clear(): void {
    this.#buffer.truncate(0)
    this.#ends.length = 0
  }
}
