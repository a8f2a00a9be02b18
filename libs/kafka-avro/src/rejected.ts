import type { MessageHeader } from '@confluentinc/kafka-javascript'

/** Which service turned a record away. */
export type RejectStage = 'ingest' | 'aggregator' | 'pg-sink'

/**
 * Why a record is in `rejected`, and which services say so: every code there is. What is counted, redriven
 * or documented by reason goes by this list.
 */
export const rejectReasons = {
  /** A venue's frame that is not what its protocol says. */
  malformed: ['ingest'],
  /** Facts that no trade has. */
  invalid: ['ingest', 'aggregator'],
  /** A frame with a trade of an instrument that its feed does not read. */
  unknown_instrument: ['ingest'],
  /** Too far ahead of when it was received. */
  future: ['ingest', 'aggregator'],
  /** Its window was forgotten when it came. */
  late: ['aggregator'],
  /** The first record of this trade and version says something else. */
  conflict: ['aggregator'],
  /** Bytes that are no record of their topic. */
  undecodable: ['aggregator', 'pg-sink'],
  /** Written with a schema that the registry does not know, or with another topic's. */
  unknown_schema_id: ['aggregator', 'pg-sink'],
  /** A value that no column holds. */
  not_storable: ['pg-sink'],
  /** PostgreSQL refused the row: by a constraint, a trigger or a limit. */
  refused_by_database: ['pg-sink'],
} as const satisfies Readonly<Record<string, readonly RejectStage[]>>

export type RejectReason = keyof typeof rejectReasons

export function isRejectReason(text: string): text is RejectReason {
  return Object.hasOwn(rejectReasons, text)
}

export interface RejectedOrigin {
  readonly stage: RejectStage
  /** A code, for counting. */
  readonly reason: RejectReason
  /** For a person. */
  readonly message: string
  /** Where the record was read; null for what never was in Kafka. */
  readonly topic: string | null
  readonly partition: number | null
  readonly offset: number | null
  /** Of a venue's frame that never was in Kafka: what it takes to read it again. */
  readonly feed?: RejectedFeed
}

export interface RejectedFeed {
  readonly venue: string
  readonly feedId: string
}

const names = {
  stage: '__connect.errors.stage',
  reason: '__connect.errors.exception.class.name',
  message: '__connect.errors.exception.message',
  topic: '__connect.errors.topic',
  partition: '__connect.errors.partition',
  offset: '__connect.errors.offset',
  venue: 'tickertape.venue',
  feed: 'tickertape.feed',
} as const

/** Headers of a record in `rejected`, under the names of Kafka Connect's dead letter queue where it has them. */
export function rejectedHeaders(origin: RejectedOrigin): readonly MessageHeader[] {
  const headers: MessageHeader[] = [
    { [names.stage]: origin.stage },
    { [names.reason]: origin.reason },
    { [names.message]: origin.message },
  ]
  if (origin.topic !== null) headers.push({ [names.topic]: origin.topic })
  if (origin.partition !== null) headers.push({ [names.partition]: String(origin.partition) })
  if (origin.offset !== null) headers.push({ [names.offset]: String(origin.offset) })
  if (origin.feed !== undefined) {
    headers.push({ [names.venue]: origin.feed.venue }, { [names.feed]: origin.feed.feedId })
  }
  return headers
}

/** As read: whoever wrote it may have put any text there. */
export interface ReadOrigin extends Omit<RejectedOrigin, 'stage' | 'reason' | 'feed'> {
  readonly stage: string
  readonly reason: string
  readonly feed: RejectedFeed | null
}

/** The other way; fields that a foreign writer left out are null or "unknown". */
export function rejectedOrigin(headers: readonly MessageHeader[] | undefined): ReadOrigin {
  const values = new Map<string, string>()
  for (const header of headers ?? []) {
    for (const [name, value] of Object.entries(header)) values.set(name, String(value))
  }
  const venue = values.get(names.venue)
  const feedId = values.get(names.feed)
  return {
    stage: values.get(names.stage) ?? 'unknown',
    reason: values.get(names.reason) ?? 'unknown',
    message: values.get(names.message) ?? '',
    topic: values.get(names.topic) ?? null,
    partition: numberOrNull(values.get(names.partition)),
    offset: numberOrNull(values.get(names.offset)),
    feed: venue === undefined || feedId === undefined ? null : { venue, feedId },
  }
}

function numberOrNull(text: string | undefined): number | null {
  return text === undefined ? null : Number(text)
}
