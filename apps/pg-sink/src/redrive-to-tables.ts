import type { LogRecord } from '@tickertape/kafka-avro'
import type { Database, Transaction } from '@tickertape/market-store'
import { claimRejected, markRedriven } from '@tickertape/redrive'
import type { RedriveProgress, RedriveSelection, RejectedRecord } from '@tickertape/redrive'

import { writeRows } from './batch-rows.ts'
import { Batch } from './batch.ts'
import { databaseFaultOf } from './database-fault.ts'
import type { RecordReader } from './record-reader.ts'
import type { TradeDays } from './trade-days.ts'

export interface RedriveToTablesOptions {
  readonly database: Database
  readonly records: RecordReader
  readonly days: TradeDays
  readonly selection: RedriveSelection
  readonly onKept: (record: RejectedRecord, why: string) => void
  readonly onProgress: (progress: RedriveProgress) => void
  /** Ends the run behind the transaction that is under way. */
  readonly signal: AbortSignal
}

/** Rejects in one transaction, each under a savepoint of its own. */
const chunkRecords = 200

/**
 * Writes what the sink has rejected into its tables, as if it were read from the log now: rows and marks in
 * one transaction, so each goes in once. What fails again stays.
 *
 * @throws what PostgreSQL says if it is not about one record: nothing of the chunk is written then.
 */
export async function redriveToTables(options: RedriveToTablesOptions): Promise<RedriveProgress> {
  const { database, onProgress, signal } = options
  let progress: RedriveProgress = { redriven: 0, kept: 0 }
  let after: RejectedRecord | undefined
  while (!signal.aborted) {
    const { rejects, done } = await database.transaction((transaction) =>
      putBack(options, transaction, after),
    )
    if (rejects.length === 0) break
    after = rejects.at(-1)
    progress = {
      redriven: progress.redriven + done.length,
      kept: progress.kept + rejects.length - done.length,
    }
    onProgress(progress)
  }
  return progress
}

async function putBack(
  { days, onKept, records, selection }: RedriveToTablesOptions,
  transaction: Transaction,
  after: RejectedRecord | undefined,
) {
  const rejects = await claimRejected(transaction, selection, null, after, chunkRecords)
  const done: RejectedRecord[] = []
  for (const reject of rejects) {
    const record = logRecordOf(reject)
    const why = record === undefined ? 'it was not read from Kafka' : await write(record)
    if (why === undefined) done.push(reject)
    else onKept(reject, why)
  }
  await markRedriven(transaction, done)
  return { rejects, done }

  async function write(record: LogRecord): Promise<string | undefined> {
    await records.prepare([record])
    const batch = new Batch()
    records.addTo(batch, record)
    const [again] = batch.rejects
    if (again !== undefined) return `${again.reason}: ${again.message}`
    await days.ensure(batch.tradeDays)
    try {
      await transaction.savepoint((inner) => writeRows(inner, batch, 'staged'))
      return undefined
    } catch (error) {
      const fault = databaseFaultOf(error)
      if (fault !== 'data' && fault !== 'duplicate') throw error
      return `PostgreSQL refuses it: ${error instanceof Error ? error.message : String(error)}`
    }
  }
}

/** The record as it was read, at its own place in the log. */
function logRecordOf({ key, rejectedAt, source, value }: RejectedRecord): LogRecord | undefined {
  return source === null ? undefined : { ...source, key, value, timestamp: rejectedAt.getTime() }
}
