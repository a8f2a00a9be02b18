import { fileURLToPath } from 'node:url'

import { Client } from 'pg'

import type { RunningStack } from '@tickertape/stack'

import { MeasuredService } from './measured-service.ts'
import type { SinkFill } from './sink-fill.ts'
import { requireTotals } from './sink-totals.ts'

const main = fileURLToPath(new URL('../../../apps/pg-sink/src/main.ts', import.meta.url))

export interface SinkRun {
  readonly stack: RunningStack
  readonly databaseUrl: string
  /** Its own for each run, without the prefix. */
  readonly groupId: string
  readonly cpuProf: string | undefined
}

export interface SinkThroughput {
  readonly rowsPerSecond: number
  readonly cpuMicrosPerRow: number
  readonly rssMb: number
}

/**
 * Runs the sink over a filled topic, from owning its partitions to the commit of the last row, and checks
 * the rows.
 *
 * @throws Error if the table does not hold what was written to the topic.
 */
export async function measureSink(run: SinkRun, fill: SinkFill): Promise<SinkThroughput> {
  await using sink = startSink(run, fill)
  const begin = await sink.joined()
  await using left = await openRecordsLeft(run.databaseUrl, fill)
  const almost = fill.rows / 10
  await sink.until('commit its last row', async () => {
    const records = await left.count()
    if (records === 0) return true
    // Questions cost time that belongs to the sink: many only near the end.
    if (records > almost) await new Promise((resolve) => setTimeout(resolve, 100))
    return false
  })
  const end = await sink.usage()
  await sink.stop()
  await requireTotals(run.databaseUrl, fill.table, fill.totals)
  return {
    rowsPerSecond: fill.rows / ((end.at - begin.at) / 1_000),
    cpuMicrosPerRow: ((end.cpuSeconds - begin.cpuSeconds) * 1e6) / fill.rows,
    rssMb: end.peakRssMb,
  }
}

/** Starts the sink and lets it write everything that the topic holds. */
export async function startFilledSink(run: SinkRun, fill: SinkFill): Promise<MeasuredService> {
  const sink = startSink(run, fill)
  try {
    await sink.joined()
    await using left = await openRecordsLeft(run.databaseUrl, fill)
    await sink.until('commit its last row', async () => (await left.count()) === 0)
    return sink
  } catch (error) {
    await sink[Symbol.asyncDispose]()
    throw error
  }
}

/** With its defaults, as `npm start` runs it. */
function startSink(run: SinkRun, fill: SinkFill): MeasuredService {
  return MeasuredService.start({
    name: 'pg-sink',
    main,
    environment: {
      KAFKA_BROKERS: run.stack.kafkaBrokers,
      REGISTRY_URL: run.stack.registryUrl,
      TOPIC_PREFIX: fill.prefix,
      DATABASE_URL: run.databaseUrl,
      PG_SINK_GROUP_ID: run.groupId,
      PG_SINK_ADMIN_PORT: '0',
    },
    cpuProf: run.cpuProf,
  })
}

interface RecordsLeft extends AsyncDisposable {
  /** How many records of the topic the database is behind. */
  count(): Promise<number>
}

async function openRecordsLeft(databaseUrl: string, fill: SinkFill): Promise<RecordsLeft> {
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  return {
    count: async () => {
      const { rows } = await client.query<{ partition: number; next_offset: string }>(
        'select partition, next_offset from sink_offsets where topic = $1',
        [fill.topic],
      )
      const reached = new Map(rows.map((row) => [row.partition, Number(row.next_offset)]))
      return [...fill.ends].reduce(
        (sum, [partition, end]) => sum + Math.max(0, end - (reached.get(partition) ?? 0)),
        0,
      )
    },
    [Symbol.asyncDispose]: () => client.end(),
  }
}
