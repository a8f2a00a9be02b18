import { expect } from 'vitest'

import { rejectedOrigin } from '@tickertape/kafka-avro'
import type { Candle, MarketEvent } from '@tickertape/market-model'
import type { ServiceProcess } from '@tickertape/testing'
import { waitUntil } from '@tickertape/testing'

import type { FaultRecord } from './fault-market.ts'
import { poison } from './fault-market.ts'
import { isAtEnds, logTruth, readAll } from './log-truth.ts'
import { partitions } from './sink-log.ts'
import type { SinkLog } from './sink-log.ts'
import { storedRows } from './stored-tables.ts'

/** Small batches, so that a fault comes in the middle of many; short waits, so that the test is. */
export const faultSettings = {
  PG_SINK_BATCH_SIZE: '200',
  PG_SINK_RETRY_BACKOFF_MS: '20',
  PG_SINK_RETRY_BACKOFF_MAX_MS: '200',
}

/** Has PostgreSQL refuse trades that the sink has nothing against. */
export async function refusePoison({ database }: SinkLog): Promise<void> {
  await database.query(
    `alter table trades add constraint no_poison check (trade_id not like '${poison}%')`,
  )
}

/** The instances of one consumer group at work on a log. */
export class SinkInstances implements AsyncDisposable {
  readonly #log: SinkLog
  readonly #settings: Readonly<Record<string, string>>
  readonly #sinks: ServiceProcess[]

  private constructor(log: SinkLog, settings: Readonly<Record<string, string>>) {
    this.#log = log
    this.#settings = settings
    this.#sinks = []
  }

  static start(log: SinkLog, count: number, settings = faultSettings): SinkInstances {
    const instances = new SinkInstances(log, settings)
    for (let index = 0; index < count; index += 1) instances.#sinks.push(log.startSink(settings))
    return instances
  }

  /** Kills instances with SIGKILL, all at once, and starts others in their places. */
  async kill(...indexes: readonly number[]): Promise<void> {
    await Promise.all(indexes.map((index) => this.at(index).stop('SIGKILL')))
    for (const index of indexes) this.#sinks[index] = this.#log.startSink(this.#settings)
  }

  at(index: number): ServiceProcess {
    const sink = this.#sinks[index]
    if (sink === undefined) throw new RangeError(`There is no instance ${index}`)
    return sink
  }

  /**
   * Waits for something that comes of their work.
   *
   * @throws Error with what they wrote, at once if one of them has ended by itself.
   */
  async until(what: string, condition: () => Promise<boolean>, everyMs = 50): Promise<void> {
    const ended = (): boolean => this.#sinks.some(({ running }) => !running)
    try {
      await waitUntil(what, async () => ended() || (await condition()), {
        withinMs: 120_000,
        everyMs,
      })
    } catch (error) {
      throw new Error(`The instances stand still:\n${this.output}`, { cause: error })
    }
    if (ended()) throw new Error(`An instance ended by itself:\n${this.output}`)
  }

  /** The last of what each wrote: why a wait was in vain. */
  get output(): string {
    return this.#sinks
      .map(({ output }, index) => `--- instance ${index}\n${output.slice(-4_000)}`)
      .join('\n')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#sinks.map((sink) => sink.stop('SIGKILL')))
  }
}

/** Appends records in their order: candles in transactions, of which some are aborted and made again. */
export async function appendRecords(log: SinkLog, records: readonly FaultRecord[]): Promise<void> {
  const events: MarketEvent[] = []
  const candles: Candle[] = []
  for (const record of records) {
    if ('event' in record) {
      events.push(record.event)
    } else if ('candle' in record) {
      candles.push(record.candle)
    } else {
      // What has no type of its own stands where it came among the events.
      await log.appendEvents(events.splice(0))
      await log.append({ ...record, topic: log.topic(record.topic) })
    }
  }
  await log.appendEvents(events)
  const wrong = candles.map((candle) => ({ ...candle, revision: candle.revision + 100 }))
  if (wrong.length > 0) await log.abortCandles(wrong)
  if (candles.length > 0) await log.appendCandles(candles)
}

/** How many records the sinks have written, over all partitions. */
export async function recordsDone({ database }: SinkLog): Promise<number> {
  const { rows } = await database.query<{ done: string }>(
    'select coalesce(sum(next_offset), 0) as done from sink_offsets',
  )
  return Number(rows[0]?.done)
}

/**
 * Waits until everything is written, the sink's own rejects too, and compares each table with the log: every
 * row once, and nothing else.
 */
export async function expectExactlyOnce(log: SinkLog, instances: SinkInstances): Promise<void> {
  await whenAtEnds(log, instances)
  const truth = await logTruth(log)
  for (const table of [
    'trades',
    'candles',
    'rejected',
    'sequence_gaps',
    'feed_watermarks',
    'instruments',
  ] as const) {
    const stored = await storedRows(log.database, table)
    const missing = notIn(truth[table], stored)
    const unexpected = notIn(stored, truth[table])
    expect(
      { missing: missing.slice(0, 5), unexpected: unexpected.slice(0, 5) },
      `${table}: ${missing.length} of ${truth[table].length} rows are missing, ${unexpected.length} are not of the log\n${instances.output}`,
    ).toEqual({ missing: [], unexpected: [] })
    // Equal as sets: what is left to find is a row that is there twice.
    expect(stored.length, table).toBe(truth[table].length)
  }
  await expectRejectsInTopic(log, truth.rejected)
}

async function whenAtEnds(log: SinkLog, instances: SinkInstances): Promise<void> {
  await instances.until(
    'the offsets to be at the topics’ ends',
    async () => {
      const { rows } = await log.database.query<{ at: string; next_offset: string }>(
        `select concat(topic, ' ', partition) as at, next_offset from sink_offsets`,
      )
      return await isAtEnds(log, new Map(rows.map((row) => [row.at, Number(row.next_offset)])))
    },
    200,
  )
}

/** Everything that the sink turned away is in the topic `rejected` too, with its bytes. */
async function expectRejectsInTopic(log: SinkLog, rejected: readonly string[]): Promise<void> {
  const produced = new Set<string>()
  for (let partition = 0; partition < partitions; partition += 1) {
    for (const { headers, value } of await readAll(log, 'rejected', partition)) {
      const { stage, reason, topic, partition: from, offset } = rejectedOrigin(headers)
      const bytes = value === null ? '-' : value.toString('hex')
      if (stage === 'pg-sink') produced.add([topic, from, offset, stage, reason, bytes].join('|'))
    }
  }
  const own = rejected.flatMap((row) => {
    const cells = row.split('|')
    return cells[3] === 'pg-sink' ? [[...cells.slice(0, 5), cells.at(-1)].join('|')] : []
  })
  expect(notIn(own, [...produced]), 'rejects that are not in the topic').toEqual([])
  expect(notIn([...produced], own), 'rejects in the topic that are none').toEqual([])
}

function notIn(rows: readonly string[], others: readonly string[]): readonly string[] {
  const known = new Set(others)
  return rows.filter((row) => !known.has(row))
}
