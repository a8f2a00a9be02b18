import type { RejectStage, RejectedFeed } from '@tickertape/kafka-avro'
import type { Database, Transaction } from '@tickertape/market-store'

import { RedriveProblem } from './redrive-arguments.ts'

/** The key of a row of the table `rejected`: where the reject itself stands in Kafka. */
export interface RejectPosition {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** A record that a service turned away, as the table `rejected` keeps it. */
export interface RejectedRecord extends RejectPosition {
  readonly stage: RejectStage
  readonly reason: string
  readonly message: string
  /** Where the record was first read; null for what never was in Kafka. */
  readonly source: RejectPosition | null
  /** Whose frame it is; null for what was read from Kafka. */
  readonly feed: RejectedFeed | null
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** When Kafka took the reject. */
  readonly rejectedAt: Date
}

/** Which rejected records are put back. */
export interface RedriveSelection {
  readonly stage: RejectStage
  readonly reason: string
}

export interface RejectedCount {
  readonly stage: string
  readonly reason: string
  /** Not put back so far. */
  readonly waiting: number
  readonly redriven: number
}

interface Row {
  readonly topic: string
  readonly partition: number
  /** bigint comes as text. */
  readonly offset: string
  readonly stage: RejectStage
  readonly reason: string
  readonly message: string
  readonly source_topic: string | null
  readonly source_partition: number | null
  readonly source_offset: string | null
  readonly venue: string | null
  readonly feed_id: string | null
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly rejected_at: Date
}

type Queryable = Pick<Database, 'query'> | Transaction

/** @throws RedriveProblem if the database has no such table yet. */
export async function countRejected(
  database: Queryable,
  reason: string,
): Promise<readonly RejectedCount[]> {
  await requireTable(database)
  const { rows } = await database.query<{
    readonly stage: string
    readonly reason: string
    readonly waiting: string
    readonly redriven: string
  }>({
    text: `select stage, reason,
        count(*) filter (where redriven_at is null) as waiting,
        count(redriven_at) as redriven
      from rejected where reason = $1 group by stage, reason order by stage, reason`,
    values: [reason],
  })
  return rows.map(({ waiting, redriven, ...row }) => ({
    ...row,
    waiting: Number(waiting),
    redriven: Number(redriven),
  }))
}

/** Venues whose frames wait, each once. */
export async function waitingVenues(
  database: Queryable,
  { stage, reason }: RedriveSelection,
): Promise<readonly string[]> {
  const { rows } = await database.query<{ readonly venue: string }>({
    text: `select distinct venue from rejected
      where stage = $1 and reason = $2 and redriven_at is null and venue is not null order by venue`,
    values: [stage, reason],
  })
  return rows.map(({ venue }) => venue)
}

async function requireTable(database: Queryable): Promise<void> {
  const { rows } = await database.query<{ readonly found: boolean }>(
    `select count(*) = 1 as found from information_schema.columns
      where table_schema = any (current_schemas(false)) and table_name = 'rejected'
        and column_name = 'feed_id'`,
  )
  if (rows[0]?.found === true) return
  throw new RedriveProblem(
    'DATABASE_URL names a database without a table `rejected` of this version: pg-sink makes it when it starts, so start pg-sink once, or name its database',
  )
}

/**
 * The next records of a selection that nobody has claimed, in the order of their positions, locked until the
 * transaction ends and claimed for one run.
 *
 * @param claim names the run; null if the transaction itself puts them back.
 * @param after the last position that this run was given.
 */
export async function claimRejected(
  database: Queryable,
  { stage, reason }: RedriveSelection,
  claim: string | null,
  after: RejectPosition | undefined,
  limit: number,
): Promise<readonly RejectedRecord[]> {
  const { rows } = await database.query<Row>({
    text: `update rejected set redrive_id = $1
      from (
        select topic, partition, "offset" from rejected
        where stage = $2 and reason = $3 and redriven_at is null and redrive_id is null
          and ($4::text is null or (topic, partition, "offset") > ($4, $5::integer, $6::bigint))
        order by topic, partition, "offset"
        limit $7
        for update skip locked
      ) as next
      where rejected.topic = next.topic and rejected.partition = next.partition
        and rejected."offset" = next."offset"
      returning rejected.topic, rejected.partition, rejected."offset", stage, reason, message,
        source_topic, source_partition, source_offset, venue, feed_id, key, value, rejected_at`,
    values: [
      claim,
      stage,
      reason,
      after?.topic ?? null,
      after?.partition ?? null,
      after?.offset ?? null,
      limit,
    ],
  })
  return rows.map(toRecord).toSorted(byPosition)
}

/** Claims of runs that have not said what became of their records. */
export async function openClaims(database: Queryable): Promise<readonly string[]> {
  const { rows } = await database.query<{ readonly redrive_id: string }>(
    `select distinct redrive_id from rejected
      where redrive_id is not null and redriven_at is null order by redrive_id`,
  )
  return rows.map(({ redrive_id }) => redrive_id)
}

/** Lets records go that were claimed and not put back: the next run may take them. */
export async function releaseClaim(database: Queryable, claim: string): Promise<void> {
  await database.query({
    text: 'update rejected set redrive_id = null where redrive_id = $1 and redriven_at is null',
    values: [claim],
  })
}

/** @returns how many of them were not marked yet. */
export async function markRedriven(
  database: Queryable,
  positions: readonly RejectPosition[],
): Promise<number> {
  if (positions.length === 0) return 0
  const { count } = await database.query({
    text: `update rejected set redriven_at = now()
      from unnest($1::text[], $2::integer[], $3::bigint[]) as done (topic, partition, "offset")
      where rejected.topic = done.topic and rejected.partition = done.partition
        and rejected."offset" = done."offset" and redriven_at is null`,
    values: [
      positions.map(({ topic }) => topic),
      positions.map(({ partition }) => partition),
      positions.map(({ offset }) => offset),
    ],
  })
  return count
}

function toRecord(row: Row): RejectedRecord {
  const { source_topic: topic, source_partition: partition, source_offset: offset } = row
  const { venue, feed_id: feedId } = row
  return {
    topic: row.topic,
    partition: row.partition,
    offset: Number(row.offset),
    stage: row.stage,
    reason: row.reason,
    message: row.message,
    source:
      topic === null || partition === null || offset === null
        ? null
        : { topic, partition, offset: Number(offset) },
    feed: venue === null || feedId === null ? null : { venue, feedId },
    key: row.key,
    value: row.value,
    rejectedAt: row.rejected_at,
  }
}

function byPosition(a: RejectPosition, b: RejectPosition): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1
  return a.partition - b.partition || a.offset - b.offset
}
