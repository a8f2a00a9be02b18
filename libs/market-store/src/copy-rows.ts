import type { Decimal } from '@tickertape/market-model'
import { getTableColumns } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'

import { CopyBuffer } from './copy-buffer.ts'
import type { Fields, SourcePosition } from './fields.ts'

/** How rows of one table are copied from records of type `Source`. */
export interface CopyFormat<Source> {
  readonly table: PgTable
  readonly fields: readonly CopyField<Source>[]
  /** Rows of the same group are copied one behind the other. */
  readonly groupOf: (source: Source) => string
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
  groupOf: (source: Source) => string,
): CopyFormat<Source> {
  const columns = Object.entries(getTableColumns(table))
  return {
    table,
    groupOf,
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
 * They are copied group by group, and those of a group in the order in which they were added: neighbours in the
 * table's indexes come one behind the other. Of 1,000,000 trades of 100 instruments, each 10,000 of them grouped,
 * PostgreSQL's CPU was 10-12 us a row that way, and 13.5-14.7 in the order of the log (three copies of each).
 *
 * Their memory is kept by `clear`, so that one instance serves batch after batch; but never while a copy
 * of its rows is under way.
 */
export class CopyRows<Source> {
  readonly format: CopyFormat<Source>
  readonly #buffer = new CopyBuffer(initialBytes)
  /** Where each row ends. */
  readonly #ends: number[] = []
  /** The group of each row, by number. */
  readonly #groupOfRow: number[] = []
  /** Numbers of the groups. */
  readonly #groups = new Map<string, number>()
  /** Size of each group's rows. */
  readonly #groupBytes: number[] = []
  /** The rows group by group. */
  #grouped = Buffer.alloc(0)

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
    const { fields, groupOf } = this.format
    try {
      buffer.beginRow(fields.length)
      for (const field of fields) field.append(buffer, source, position)
    } catch (error) {
      buffer.truncate(begin)
      throw error
    }
    this.#ends.push(buffer.end)
    const group = this.#numberOf(groupOf(source))
    this.#groupOfRow.push(group)
    this.#groupBytes[group] = (this.#groupBytes[group] ?? 0) + buffer.end - begin
  }

  /** What COPY reads for the rows; it shares this one's memory. */
  chunks(): readonly Uint8Array[] {
    return [header, this.#groups.size > 1 ? this.#group() : this.#buffer.written, trailer]
  }

  clear(): void {
    this.#buffer.truncate(0)
    this.#ends.length = 0
    this.#groupOfRow.length = 0
    this.#groups.clear()
    this.#groupBytes.length = 0
  }

  #numberOf(group: string): number {
    const known = this.#groups.get(group)
    if (known !== undefined) return known
    const number = this.#groups.size
    this.#groups.set(group, number)
    return number
  }

  #group(): Uint8Array {
    const size = this.bytes
    if (this.#grouped.length < size) this.#grouped = Buffer.allocUnsafe(2 * size)
    const grouped = this.#grouped
    /** Where the next row of each group goes. */
    const places: number[] = []
    let end = 0
    for (const bytes of this.#groupBytes) {
      places.push(end)
      end += bytes
    }
    const rows = this.#buffer.written
    let begin = 0
    for (const [row, rowEnd] of this.#ends.entries()) {
      const group = this.#groupOfRow[row] ?? 0
      const place = places[group] ?? 0
      rows.copy(grouped, place, begin, rowEnd)
      places[group] = place + rowEnd - begin
      begin = rowEnd
    }
    return grouped.subarray(0, size)
  }
}
