import { setTimeout as wait } from 'node:timers/promises'

import { committedOffsets, readPartition, topicOffsets } from '@tickertape/kafka-avro'
import type { KafkaConnection } from '@tickertape/kafka-avro'
import type { Database } from '@tickertape/market-store'

import { VerifyError } from './errors.ts'
import type { Snapshot } from './snapshot.ts'

export interface ArrivalOptions {
  readonly connection: KafkaConnection
  readonly aggregatorGroupId: string
  readonly marketEvents: string
  /** Topics that the aggregator writes and the sink reads. */
  readonly results: readonly string[]
  readonly waitMs: number
}

const everyMs = 200

/**
 * Waits until everything that the aggregator makes of the snapshot's records is stored.
 *
 * @throws VerifyError `not_arrived`.
 */
export async function waitForCandles(
  database: Database,
  { positions }: Snapshot,
  options: ArrivalOptions,
): Promise<void> {
  const deadline = performance.now() + options.waitMs
  const { connection, aggregatorGroupId, marketEvents } = options
  const first = new Map(
    (await topicOffsets(connection, marketEvents)).map(({ partition, low }) => [partition, low]),
  )
  // A partition without records has no committed offset either.
  const targets = new Map(
    [...positions].filter(([partition, next]) => next > (first.get(partition) ?? 0)),
  )
  await until(
    deadline,
    async () => {
      const committed = await committedOffsets(connection, aggregatorGroupId, marketEvents)
      return behind(targets, committed)
    },
    (lag) =>
      `The group ${aggregatorGroupId} has not come to where the sink is in ${marketEvents}: ${lag}. Is the aggregator running?`,
  )
  for (const topic of options.results) await waitForTopic(database, topic, deadline, options)
}

/**
 * Waits until the sink has stored every record that the aggregator has committed by now, and with that
 * every one that any stored candle comes from.
 *
 * @throws VerifyError `not_arrived`.
 */
export async function waitForRecords(
  database: Database,
  { connection, aggregatorGroupId, marketEvents, waitMs }: ArrivalOptions,
): Promise<void> {
  const deadline = performance.now() + waitMs
  const committed = await committedOffsets(connection, aggregatorGroupId, marketEvents)
  await until(
    deadline,
    async () => behind(committed, await storedOffsets(database, marketEvents)),
    (lag) => `The sink has not stored what ${marketEvents} holds: ${lag}. Is pg-sink running?`,
  )
}

async function waitForTopic(
  database: Database,
  topic: string,
  deadline: number,
  { connection }: ArrivalOptions,
): Promise<void> {
  const stored = await storedOffsets(database, topic)
  const ends = await topicOffsets(connection, topic)
  const lastRecords = await Promise.all(
    ends
      .filter(({ partition, high }) => (stored.get(partition) ?? 0) < high)
      .map(async ({ partition }) => {
        const next = await behindLastRecord(connection, topic, partition, stored.get(partition))
        return [partition, next] as const
      }),
  )
  const targets = new Map(
    lastRecords.flatMap(([partition, next]) => (next === undefined ? [] : [[partition, next]])),
  )
  await until(
    deadline,
    async () => behind(targets, await storedOffsets(database, topic)),
    (lag) => `The sink has not stored what ${topic} holds: ${lag}. Is pg-sink running?`,
  )
}

/**
 * The offset behind the last record of a partition.
 *
 * Not its end: transactions end with a marker, which takes an offset that no reader ever sees, so the
 * sink stays before it. What lies between the sink and the end is read, and its records decide.
 */
async function behindLastRecord(
  connection: KafkaConnection,
  topic: string,
  partition: number,
  stored: number | undefined,
): Promise<number | undefined> {
  let next: number | undefined
  const range = { topic, partition, from: stored ?? 'earliest', to: 'end' } as const
  for await (const messages of readPartition({ connection, clientId: 'verify' }, range)) {
    const last = messages.at(-1)
    if (last !== undefined) next = last.offset + 1
  }
  return next
}

async function storedOffsets(
  database: Database,
  topic: string,
): Promise<ReadonlyMap<number, number>> {
  const { rows } = await database.query<{ partition: number; next_offset: string }>({
    text: 'select partition, next_offset from sink_offsets where topic = $1',
    values: [topic],
  })
  return new Map(rows.map(({ partition, next_offset }) => [partition, Number(next_offset)]))
}

/** @returns undefined when every target is reached; otherwise the partitions that are behind. */
function behind(
  targets: ReadonlyMap<number, number>,
  reached: ReadonlyMap<number, number>,
): string | undefined {
  const lagging = [...targets].filter(([partition, target]) => {
    return (reached.get(partition) ?? -1) < target
  })
  if (lagging.length === 0) return undefined
  return lagging
    .map(([partition, target]) => {
      return `partition ${partition} is at ${reached.get(partition) ?? 'no offset'} of ${target}`
    })
    .join(', ')
}

async function until(
  deadline: number,
  lagging: () => Promise<string | undefined>,
  explain: (lag: string) => string,
): Promise<void> {
  for (;;) {
    const lag = await lagging()
    if (lag === undefined) return
    if (performance.now() > deadline) throw new VerifyError('not_arrived', explain(lag))
    await wait(everyMs)
  }
}
