import type { TopicPartition } from '@tickertape/kafka-avro'
import type { Database, Transaction } from '@tickertape/market-store'

import type { NextOffset } from './batch.ts'
import { PgSinkError } from './errors.ts'

/** The epoch under which this process owns each partition, by `topic partition`. */
export type PartitionEpochs = ReadonlyMap<string, number>

export interface ClaimedPartition extends NextOffset {
  readonly epoch: number
}

interface OffsetRow {
  readonly topic: string
  readonly partition: number
  /** bigint comes as text. */
  readonly next_offset: string
  readonly epoch: string
}

export function partitionKey({ topic, partition }: TopicPartition): string {
  return `${topic} ${partition}`
}

/**
 * Takes partitions over: raises their epochs, after which no other owner can commit.
 *
 * @param firstOffsets where to begin a partition that was never written.
 * @returns where to read on.
 */
export async function claimPartitions(
  database: Database,
  partitions: readonly TopicPartition[],
  firstOffsets: (partitions: readonly TopicPartition[]) => Promise<readonly NextOffset[]>,
): Promise<readonly ClaimedPartition[]> {
  const claimed = await raiseEpochs(database, partitions)
  const known = new Set(claimed.map(partitionKey))
  const unknown = partitions.filter((partition) => !known.has(partitionKey(partition)))
  if (unknown.length === 0) return claimed
  await database.query({
    text: `insert into sink_offsets (topic, partition, next_offset, epoch)
      select topic, partition, next_offset, 0
      from unnest($1::text[], $2::integer[], $3::bigint[]) as first (topic, partition, next_offset)
      on conflict do nothing`,
    values: columnsOf(await firstOffsets(unknown)),
  })
  return [...claimed, ...(await raiseEpochs(database, unknown))]
}

/**
 * Moves the offsets of partitions on, within the transaction that writes what came before them.
 *
 * @throws PgSinkError `stale_owner` unless every partition is still owned under its epoch.
 */
export async function advanceOffsets(
  transaction: Transaction,
  positions: readonly NextOffset[],
  epochs: PartitionEpochs,
): Promise<void> {
  const { count } = await transaction.query({
    name: 'advance-offsets',
    text: `update sink_offsets
      set next_offset = reached.next_offset
      from unnest($1::text[], $2::integer[], $3::bigint[], $4::bigint[])
        as reached (topic, partition, next_offset, epoch)
      where sink_offsets.topic = reached.topic
        and sink_offsets.partition = reached.partition
        and sink_offsets.epoch = reached.epoch`,
    values: [
      ...columnsOf(positions),
      positions.map((position) => epochs.get(partitionKey(position)) ?? null),
    ],
  })
  if (count === positions.length) return
  const listed = positions.map(({ topic, partition }) => `${topic} [${partition}]`).join(', ')
  throw new PgSinkError(
    'stale_owner',
    `Another pg-sink has taken over ${positions.length - count} of ${listed} since they were assigned here: this batch is thrown away, its owner writes it. Nothing is lost; start this instance again`,
  )
}

async function raiseEpochs(
  database: Database,
  partitions: readonly TopicPartition[],
): Promise<readonly ClaimedPartition[]> {
  const { rows } = await database.query<OffsetRow>({
    text: `update sink_offsets
      set epoch = epoch + 1
      from unnest($1::text[], $2::integer[]) as assigned (topic, partition)
      where sink_offsets.topic = assigned.topic and sink_offsets.partition = assigned.partition
      returning sink_offsets.topic, sink_offsets.partition, next_offset, epoch`,
    values: columnsOf(partitions).slice(0, 2),
  })
  return rows.map(({ topic, partition, next_offset, epoch }) => ({
    topic,
    partition,
    offset: Number(next_offset),
    epoch: Number(epoch),
  }))
}

function columnsOf(partitions: readonly (TopicPartition & { offset?: number })[]): unknown[] {
  return [
    partitions.map(({ topic }) => topic),
    partitions.map(({ partition }) => partition),
    partitions.map(({ offset }) => offset ?? null),
  ]
}
