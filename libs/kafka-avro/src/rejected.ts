import type { MessageHeader } from '@confluentinc/kafka-javascript'

/** Which service turned a record away. */
export type RejectStage = 'ingest' | 'aggregator' | 'pg-sink'

export interface RejectedOrigin {
  readonly stage: RejectStage
  /** A code, for counting. */
  readonly reason: string
  /** For a person. */
  readonly message: string
  /** Where the record was read; null for what never was in Kafka. */
  readonly topic: string | null
  readonly partition: number | null
  readonly offset: number | null
}

const names = {
  stage: '__connect.errors.stage',
  reason: '__connect.errors.exception.class.name',
  message: '__connect.errors.exception.message',
  topic: '__connect.errors.topic',
  partition: '__connect.errors.partition',
  offset: '__connect.errors.offset',
} as const

/** Headers of a record in `rejected`, under the names of Kafka Connect's dead letter queue. */
export function rejectedHeaders(origin: RejectedOrigin): readonly MessageHeader[] {
  const headers: MessageHeader[] = [
    { [names.stage]: origin.stage },
    { [names.reason]: origin.reason },
    { [names.message]: origin.message },
  ]
  if (origin.topic !== null) headers.push({ [names.topic]: origin.topic })
  if (origin.partition !== null) headers.push({ [names.partition]: String(origin.partition) })
  if (origin.offset !== null) headers.push({ [names.offset]: String(origin.offset) })
  return headers
}

/** The other way; fields that a foreign writer left out are null or "unknown". */
export function rejectedOrigin(
  headers: readonly MessageHeader[] | undefined,
): Omit<RejectedOrigin, 'stage'> & { readonly stage: string } {
  const values = new Map<string, string>()
  for (const header of headers ?? []) {
    for (const [name, value] of Object.entries(header)) values.set(name, String(value))
  }
  return {
    stage: values.get(names.stage) ?? 'unknown',
    reason: values.get(names.reason) ?? 'unknown',
    message: values.get(names.message) ?? '',
    topic: values.get(names.topic) ?? null,
    partition: numberOrNull(values.get(names.partition)),
    offset: numberOrNull(values.get(names.offset)),
  }
}

function numberOrNull(text: string | undefined): number | null {
  return text === undefined ? null : Number(text)
}
