import { Registry, rejectReasons } from '@tickertape/kafka-avro'
import type { RejectReason, RejectStage } from '@tickertape/kafka-avro'
import { Database } from '@tickertape/market-store'
import { ProgressLines, countRejected, redriveToLog } from '@tickertape/redrive'
import type { RedriveArguments, RedriveProgress } from '@tickertape/redrive'
import { kafkaAccess, registryAccess } from '@tickertape/service-runtime'
import type { SettingValues } from '@tickertape/service-runtime'

import { RecordReader } from './record-reader.ts'
import type { redriveSettings } from './redrive-settings.ts'
import { marketEventOf } from './redrive-to-market-events.ts'
import { redriveToTables } from './redrive-to-tables.ts'
import { TradeDays } from './trade-days.ts'

/** What a run over the rejects of one stage goes by. */
interface Run {
  readonly values: SettingValues<typeof redriveSettings>
  readonly database: Database
  readonly reason: RejectReason
  readonly lines: ProgressLines
  readonly signal: AbortSignal
}

/**
 * Puts back what the aggregator and the sink have rejected for a reason: the aggregator's to market-events,
 * the sink's into the tables alone, for the aggregator has counted it already.
 */
export async function redrive(
  values: Run['values'],
  { dryRun, reason }: RedriveArguments,
  write: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  await using database = new Database(values.DATABASE_URL, {
    applicationName: 'redrive',
    schema: values.DATABASE_SCHEMA,
  })
  const stages: readonly RejectStage[] = rejectReasons[reason]
  const counts = await countRejected(database, reason)
  for (const [stage, putBack] of [
    ['aggregator', toLog],
    ['pg-sink', toTables],
  ] as const) {
    if (!stages.includes(stage)) continue
    const { waiting = 0, redriven = 0 } = counts.find((count) => count.stage === stage) ?? {}
    const lines = new ProgressLines(write, { stage, reason, waiting })
    lines.begin(redriven, dryRun)
    if (dryRun || waiting === 0) continue
    lines.end(await putBack({ values, database, reason, lines, signal }), signal.aborted)
  }
}

function toLog({ values, database, reason, lines, signal }: Run): Promise<RedriveProgress> {
  return redriveToLog({
    database,
    connection: kafkaAccess(values),
    topicPrefix: values.TOPIC_PREFIX,
    selection: { stage: 'aggregator', reason },
    recordsOf: (record) => marketEventOf(record, values.TOPIC_PREFIX),
    onKept: (record, why) => lines.kept(record, why),
    onProgress: (progress) => lines.progress(progress),
    onRecovered: (count) => lines.recovered(count),
    signal,
  })
}

function toTables({ values, database, reason, lines, signal }: Run): Promise<RedriveProgress> {
  const registry = new Registry(registryAccess(values), values.TOPIC_PREFIX)
  return redriveToTables({
    database,
    records: new RecordReader({
      topicPrefix: values.TOPIC_PREFIX,
      registry,
      futureToleranceMs: values.PG_SINK_FUTURE_TOLERANCE_MS,
    }),
    days: new TradeDays(database, () => undefined),
    selection: { stage: 'pg-sink', reason },
    onKept: (record, why) => lines.kept(record, why),
    onProgress: (progress) => lines.progress(progress),
    signal,
  })
}
