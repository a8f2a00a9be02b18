import type { LogRecord } from '@tickertape/kafka-avro'
import type { Database, Transaction } from '@tickertape/market-store'

import { addRows, noRows, writeRejects, writeRows } from './batch-rows.ts'
import type { TradeRoad, WrittenRows } from './batch-rows.ts'
import { Batch } from './batch.ts'
import type { Reject } from './batch.ts'
import { databaseFaultOf } from './database-fault.ts'
import { PgSinkError } from './errors.ts'
import type { Dependency } from './events.ts'
import { lastAppends } from './last-appends.ts'
import type { LastAppend } from './last-appends.ts'
import { advanceOffsets } from './partition-epochs.ts'
import type { OwnedPartitions } from './partition-epochs.ts'
import type { RecordReader } from './record-reader.ts'
import { isTableToBlame, ruleOf } from './table-blame.ts'
import type { TradeDays } from './trade-days.ts'

/** How a batch is written; each has a transaction of its own, and begins with the epochs. */
export type WritingMode = TradeRoad | 'halved'

export interface BatchWriterOptions {
  readonly database: Database
  readonly records: RecordReader
  readonly days: TradeDays
  /** Whether a record that cannot be stored goes to `rejected`, or stops the sink. */
  readonly toleratesErrors: boolean
  /** Runs an action until it succeeds, through outages of what it depends on. */
  readonly through: <T>(dependency: Dependency, action: () => Promise<T>) => Promise<T>
  /** Writes rejects to their topic; they are acknowledged when it returns. */
  readonly announce: (rejects: readonly Reject[]) => Promise<void>
  readonly onFallBack: (mode: WritingMode, error: unknown) => void
}

export interface WrittenBatch {
  readonly rows: WrittenRows
  readonly mode: WritingMode
  /** From the begin of the transaction that succeeded to its commit, in ms. */
  readonly commitMs: number
  /** Records that are rejects now, whoever found out. */
  readonly rejects: readonly Reject[]
  /** Some of them by the database: what was taken to be written was not. */
  readonly wasRefused: boolean
  /** Of each partition that it has records of. */
  readonly lastAppends: readonly LastAppend[]
}

/** Records of a batch that are asked whether a table takes any. */
const mostWitnesses = 50

/**
 * Writes batches, each in one transaction with its offsets, in the quickest way that it allows:
 *
 * 1. `direct`: COPY into `trades`. It fails as a whole if one of them is there already.
 * 2. `staged`: by way of a table of their own, from which those are left out. Batches go on that way until one
 *    has nothing left out: a failed COPY leaves dead rows behind.
 * 3. `halved`: a row cannot be stored. The batch's records are read again and written under savepoints, halved
 *    where it fails, until the record is found. If it is the table that takes none at all, nothing is rejected.
 *
 * A reject is in its topic before the transaction that commits its offset begins: no transaction waits for a
 * broker.
 */
export class BatchWriter {
  readonly #options: BatchWriterOptions
  #road: TradeRoad = 'direct'

  constructor(options: BatchWriterOptions) {
    this.#options = options
  }

  /**
   * @param isDoubtful records were left out as known that may not be written: they are looked at again.
   * @throws PgSinkError; nothing is written then.
   */
  async write(batch: Batch, owned: OwnedPartitions, isDoubtful = false): Promise<WrittenBatch> {
    const attempt: Attempt = {
      batch,
      owned,
      mode: isDoubtful ? 'halved' : this.#road,
      rejects: new Map(),
      refused: [],
      rules: new Set(),
      halvesWritten: noRows,
      hasLookedAgain: false,
      written: noRows,
      began: 0,
    }
    await this.#take(attempt, batch.rejects)
    for (;;) {
      try {
        const rows = await this.#options.through('database', () => this.#write(attempt))
        const { mode, refused } = attempt
        this.#road = mode === 'staged' && rows.trades < batch.trades.length ? 'staged' : 'direct'
        return {
          rows,
          mode,
          commitMs: performance.now() - attempt.began,
          rejects: [...attempt.rejects.values()],
          wasRefused: refused.length > 0,
          lastAppends: lastAppends(batch),
        }
      } catch (error) {
        if (error instanceof FoundRejects) await this.#take(attempt, error.rejects)
        else this.#fallBack(attempt, error)
      }
    }
  }

  #fallBack(attempt: Attempt, error: unknown): void {
    const fault = databaseFaultOf(error)
    if (fault === 'duplicate' && attempt.mode === 'direct') attempt.mode = 'staged'
    else if (fault === 'data' || fault === 'duplicate') attempt.mode = 'halved'
    else throw error
    this.#options.onFallBack(attempt.mode, error)
  }

  /** @throws PgSinkError `record_rejected` if none are allowed. */
  async #take(attempt: Attempt, rejects: readonly Reject[]): Promise<void> {
    const { announce, toleratesErrors } = this.#options
    const found = rejects.filter(({ record }) => !attempt.rejects.has(placeOf(record)))
    const [first] = found
    if (first === undefined) return
    if (!toleratesErrors) throw notTolerated(first)
    await announce(found)
    for (const reject of found) {
      attempt.rejects.set(placeOf(reject.record), reject)
      if (reject.reason === 'refused_by_database') attempt.refused.push(reject)
    }
  }

  async #write(attempt: Attempt): Promise<WrittenRows> {
    const { database, days } = this.#options
    const { batch, owned, mode } = attempt
    attempt.began = performance.now()
    try {
      // Of halves also the trades that were left out as known: they may be of other days.
      await days.ensure(mode === 'halved' ? this.#read(batch.records).tradeDays : batch.tradeDays)
      const rows = await writeBatch(database, batch, owned, async (transaction) => {
        attempt.written = await (mode === 'halved'
          ? this.#writeHalved(transaction, attempt)
          : writeRows(transaction, batch, mode))
        return attempt.written
      })
      return rows ?? attempt.written
    } catch (error) {
      const fault = databaseFaultOf(error)
      if (fault === 'no-partition') {
        days.forget()
        // Retention took one that was taken to be there: the next try makes it, as at any day's first trade.
        if (!attempt.hasLookedAgain) {
          attempt.hasLookedAgain = true
          return await this.#write(attempt)
        }
      }
      // Of a batch whose every record was tried for itself something else is at fault.
      const isHopeless = mode === 'halved' && (fault === 'data' || fault === 'duplicate')
      if (fault !== 'no-partition' && !isHopeless) throw error
      const why = error instanceof Error ? error.message : String(error)
      throw new PgSinkError('write_refused', why, { cause: error })
    }
  }

  async #writeHalved(transaction: Transaction, attempt: Attempt): Promise<WrittenRows> {
    const refused = new Set(attempt.refused.map(({ record }) => placeOf(record)))
    const records = attempt.batch.records.filter((record) => !refused.has(placeOf(record)))
    const found: Reject[] = []
    attempt.halvesWritten = noRows
    const rows = await this.#halve(transaction, attempt, records, found)
    const unknown = found.filter(({ record }) => !attempt.rejects.has(placeOf(record)))
    if (unknown.length > 0) throw new FoundRejects(unknown)
    return addRows(rows, {
      ...noRows,
      rejected: await writeRejects(transaction, attempt.refused),
    })
  }

  /** Writes records in their order; those that cannot be, each for itself, go to `found`. */
  async #halve(
    transaction: Transaction,
    attempt: Attempt,
    records: readonly LogRecord[],
    found: Reject[],
  ): Promise<WrittenRows> {
    if (records.length === 0) return noRows
    const part = this.#read(records)
    try {
      const rows = await transaction.savepoint((inner) => writeRows(inner, part, 'staged'))
      found.push(...part.rejects)
      attempt.halvesWritten = addRows(attempt.halvesWritten, rows)
      return rows
    } catch (error) {
      const fault = databaseFaultOf(error)
      if (fault !== 'data' && fault !== 'duplicate') throw error
      const [record] = records
      if (records.length === 1 && record !== undefined) {
        await this.#requireRule(transaction, attempt, record, error)
        found.push({ record, reason: 'refused_by_database', message: refusalOf(error) })
        return noRows
      }
    }
    const middle = records.length >> 1
    const first = await this.#halve(transaction, attempt, records.slice(0, middle), found)
    return addRows(first, await this.#halve(transaction, attempt, records.slice(middle), found))
  }

  /** @throws PgSinkError `write_refused` unless a rule that a row has broken is one that others keep. */
  async #requireRule(
    transaction: Transaction,
    { batch, halvesWritten, rules }: Attempt,
    record: LogRecord,
    error: unknown,
  ): Promise<void> {
    const rule = ruleOf(error)
    if (rules.has(rule)) return
    const others = spread(batch.records, mostWitnesses).filter((other) => other !== record)
    const witnesses = others.map((other) => this.#read([other]))
    const row = this.#read([record])
    if (await isTableToBlame(transaction, error, row, witnesses, halvesWritten)) {
      throw new PgSinkError('write_refused', refusalOf(error), { cause: error })
    }
    rules.add(rule)
  }

  /** Records as a batch of their own, which leaves none out as known. */
  #read(records: readonly LogRecord[]): Batch {
    const part = new Batch()
    for (const record of records) this.#options.records.addTo(part, record)
    return part
  }
}

interface Attempt {
  readonly batch: Batch
  readonly owned: OwnedPartitions
  mode: WritingMode
  /** By place; all of them are in the topic. */
  readonly rejects: Map<string, Reject>
  /** Those of them that only the database could tell. */
  readonly refused: Reject[]
  /** Rules that rows have broken and others keep. */
  readonly rules: Set<string>
  /** What halves of it have written in the transaction under way. */
  halvesWritten: WrittenRows
  /** For partitions that were there before. */
  hasLookedAgain: boolean
  /** What the last transaction wrote, which may count though its commit failed. */
  written: WrittenRows
  /** When its last transaction began. */
  began: number
}

/** Not an error: it undoes the transaction that found rejects which are not in the topic yet. */
class FoundRejects extends Error {
  override readonly name = 'FoundRejects'
  readonly rejects: readonly Reject[]

  constructor(rejects: readonly Reject[]) {
    super('rejects were found')
    this.rejects = rejects
  }
}

/**
 * Writes a batch: rows and offsets in one transaction. After a commit whose outcome is not known it can be
 * called again: it finds the offsets advanced, and writes nothing.
 *
 * @param rows what is written; a COPY of the trades unless given.
 * @returns undefined if it was written by an earlier call.
 * @throws PgSinkError `stale_owner` if a partition has a newer owner; nothing is written then.
 */
export async function writeBatch(
  database: Database,
  batch: Batch,
  owned: OwnedPartitions,
  rows: (transaction: Transaction) => Promise<WrittenRows> = (transaction) =>
    writeRows(transaction, batch, 'direct'),
): Promise<WrittenRows | undefined> {
  return await database.transaction(async (transaction) => {
    // First, for it locks the partitions' rows: a newer owner waits for this batch, or has the epoch.
    const isNew = await advanceOffsets(transaction, batch.positions, owned)
    return isNew ? await rows(transaction) : undefined
  })
}

/** The golden ratio's part behind the point: its multiples lie evenly, whatever their number, and in no step. */
const goldenPart = (Math.sqrt(5) - 1) / 2

/**
 * So many of a list at most, from all parts of it. Not every n-th: instruments that take turns in the log would
 * have some of them never asked.
 */
function spread<T>(values: readonly T[], count: number): readonly T[] {
  if (values.length <= count) return values
  const places = Array.from({ length: count }, (_, at) =>
    Math.floor(((at * goldenPart) % 1) * values.length),
  )
  return [...new Set(places)].flatMap((at) => values[at] ?? [])
}

function placeOf({ topic, partition, offset }: LogRecord): string {
  return `${topic} ${partition} ${offset}`
}

function refusalOf(error: unknown): string {
  // The driver's errors carry PostgreSQL's fields.
  const { code, message, detail } = error as { code?: string; message?: string; detail?: string }
  return [`${code ?? ''} ${message ?? String(error)}`.trim(), detail].filter(Boolean).join(': ')
}

function notTolerated({ record, reason, message }: Reject): PgSinkError {
  const { topic, partition, offset } = record
  return new PgSinkError(
    'record_rejected',
    `The record at offset ${offset} of ${topic} [${partition}] cannot be stored (${reason}: ${message}), and PG_SINK_ERRORS_TOLERANCE=none allows no such record. Mend what wrote it, or let such records go to \`rejected\` by PG_SINK_ERRORS_TOLERANCE=all`,
  )
}
