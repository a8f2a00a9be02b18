import type { TopicPartition } from '@tickertape/kafka-avro'
import type { Database, Transaction } from '@tickertape/market-store'

import type { NextOffset } from './batch.ts'
import { PgSinkError } from './errors.ts'

/** A partition as this process owns it: under this epoch, written up to this offset. */
export interface ClaimedPartition extends NextOffset {
  readonly epoch: number
}

/** By `topic partition`. */
export type OwnedPartitions = ReadonlyMap<string, ClaimedPartition>

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

/** A batch is committed sooner, or its owner is frozen. */
const ownersTimeMs = 10_000

/**
 * Takes partitions over: raises their epochs, after which no other owner can commit. One that is in the
 * middle of a commit has some time to end it; then its session is ended.
 *
 * @param firstOffsets where to begin a partition that was never written.
 * @returns where to read on.
 */
export async function claimPartitions(
  database: Database,
  partitions: readonly TopicPartition[],
  firstOffsets: (partitions: readonly TopicPartition[]) => Promise<readonly NextOffset[]>,
  timeMs = ownersTimeMs,
): Promise<readonly ClaimedPartition[]> {
  const claimed = await raiseEpochs(database, partitions, timeMs)
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
  return [...claimed, ...(await raiseEpochs(database, unknown, timeMs))]
}

/**
 * Moves the offsets of partitions on, within the transaction that writes what came before them: from where
 * they are owned up to the positions.
 *
 * @returns false if they stand at the positions already, which is this batch's own doing: its commit
 *   counted, though nobody was told so. There is nothing left to write then.
 * @throws PgSinkError `stale_owner` unless every partition is still owned under its epoch,
 *   `offsets_changed` if they are anywhere else.
 */
export async function advanceOffsets(
  transaction: Transaction,
  positions: readonly NextOffset[],
  owned: OwnedPartitions,
): Promise<boolean> {
  const claims = positions.map((position) => owned.get(partitionKey(position)))
  const { count } = await transaction.query({
    name: 'advance-offsets',
    text: `update sink_offsets
      set next_offset = reached.next_offset
      from unnest($1::text[], $2::integer[], $3::bigint[], $4::bigint[], $5::bigint[])
        as reached (topic, partition, next_offset, epoch, from_offset)
      where sink_offsets.topic = reached.topic
        and sink_offsets.partition = reached.partition
        and sink_offsets.epoch = reached.epoch
        and sink_offsets.next_offset = reached.from_offset`,
    values: [
      ...columnsOf(positions),
      claims.map((claim) => claim?.epoch ?? null),
      claims.map((claim) => claim?.offset ?? null),
    ],
  })
  if (count === positions.length) return true
  const stored = await lockedOffsets(transaction, positions)
  const listed = positions.map(({ topic, partition }) => `${topic} [${partition}]`).join(', ')
  const foreign = positions.filter((position) => {
    const key = partitionKey(position)
    return stored.get(key)?.epoch !== owned.get(key)?.epoch
  })
  if (foreign.length > 0) {
    throw new PgSinkError(
      'stale_owner',
      `Another pg-sink has taken over ${foreign.length} of ${listed} since they were assigned here: this batch is thrown away, its owner writes it. Nothing is lost, and this instance joins its group again. If that comes all the time, instances of two groups write into this database: stop one of them`,
    )
  }
  const isOwnDoing = positions.every(
    (position) => stored.get(partitionKey(position))?.offset === position.offset,
  )
  if (count === 0 && isOwnDoing) return false
  throw new PgSinkError(
    'offsets_changed',
    `Offsets of ${listed} in sink_offsets are not where this pg-sink has left them: somebody has changed them while it was at work. This batch is thrown away; start this instance again to read on from where they are now`,
  )
}

async function lockedOffsets(
  transaction: Transaction,
  partitions: readonly TopicPartition[],
): Promise<OwnedPartitions> {
  const { rows } = await transaction.query<OffsetRow>({
    text: `select sink_offsets.topic, sink_offsets.partition, next_offset, epoch
      from sink_offsets join unnest($1::text[], $2::integer[]) as asked (topic, partition)
        on sink_offsets.topic = asked.topic and sink_offsets.partition = asked.partition
      for update of sink_offsets`,
    values: columnsOf(partitions).slice(0, 2),
  })
  return new Map(rows.map(toClaim).map((claim) => [partitionKey(claim), claim]))
}

async function raiseEpochs(
  database: Database,
  partitions: readonly TopicPartition[],
  timeMs: number,
): Promise<readonly ClaimedPartition[]> {
  return await database.transaction(async (transaction) => {
    const { rows: own } = await transaction.query<{ pid: number }>('select pg_backend_pid() as pid')
    const timer = setInterval(() => {
      // Where this fails the claim fails as well.
      endOlderOwners(database, own[0]?.pid).catch(() => undefined)
    }, timeMs)
    try {
      const { rows } = await transaction.query<OffsetRow>({
        text: `update sink_offsets
          set epoch = epoch + 1
          from unnest($1::text[], $2::integer[]) as assigned (topic, partition)
          where sink_offsets.topic = assigned.topic and sink_offsets.partition = assigned.partition
          returning sink_offsets.topic, sink_offsets.partition, next_offset, epoch`,
        values: columnsOf(partitions).slice(0, 2),
      })
      return rows.map(toClaim)
    } finally {
      clearInterval(timer)
    }
  })
}

/**
 * Ends the sinks that a claim waits for. One that is frozen in the middle of a COPY would hold the partitions
 * for ever: PostgreSQL waits for its data without any of its timeouts, and the kernel of a stopped process
 * goes on answering.
 */
async function endOlderOwners(database: Database, claim: number | undefined): Promise<void> {
  await database.query({
    text: `select pg_terminate_backend(pid) from pg_stat_activity
      where pid = any(pg_blocking_pids($1)) and usename = current_user
        and application_name = current_setting('application_name')`,
    values: [claim],
  })
}

function toClaim({ topic, partition, next_offset, epoch }: OffsetRow): ClaimedPartition {
  return { topic, partition, offset: Number(next_offset), epoch: Number(epoch) }
}

function columnsOf(partitions: readonly (TopicPartition & { offset?: number })[]): unknown[] {
  return [
    partitions.map(({ topic }) => topic),
    partitions.map(({ partition }) => partition),
    partitions.map(({ offset }) => offset ?? null),
  ]
}
