import { rejectedOrigin } from '@tickertape/kafka-avro'
import type { LogRecord } from '@tickertape/kafka-avro'
import { timeText } from '@tickertape/market-store'
import type { RejectedRow } from '@tickertape/market-store'

import type { Reject } from './batch.ts'

/** A record of the topic `rejected`: what another service turned away. */
export function foreignReject(record: LogRecord): RejectedRow {
  const origin = rejectedOrigin(record.headers)
  return {
    ...positionAndBytes(record),
    stage: printable(origin.stage),
    reason: printable(origin.reason),
    message: printable(origin.message),
    sourceTopic: origin.topic === null ? null : printable(origin.topic),
    sourcePartition: integerOrNull(origin.partition, 2 ** 31 - 1),
    sourceOffset: integerOrNull(origin.offset, Number.MAX_SAFE_INTEGER),
    venue: origin.feed === null ? null : printable(origin.feed.venue),
    feedId: origin.feed === null ? null : printable(origin.feed.feedId),
  }
}

/** A record that the sink itself cannot use; it stands where it was read. */
export function ownReject({ record, reason, message }: Reject): RejectedRow {
  return {
    ...positionAndBytes(record),
    stage: 'pg-sink',
    reason,
    message: printable(message),
    sourceTopic: record.topic,
    sourcePartition: record.partition,
    sourceOffset: record.offset,
    venue: null,
    feedId: null,
  }
}

function positionAndBytes(record: LogRecord) {
  const { topic, partition, offset, key, value } = record
  return {
    topic,
    partition,
    offset,
    key: typeof key === 'string' ? Buffer.from(key) : (key ?? null),
    value,
    rejectedAt: timeText(record.timestamp ?? 0),
    redrivenAt: null,
    redriveId: null,
  }
}

/** PostgreSQL's text has no zero byte. */
function printable(text: string): string {
  return text.replaceAll('\0', '\uFFFD')
}

/** Headers are text of whoever wrote them. */
function integerOrNull(value: number | null, max: number): number | null {
  return value !== null && Number.isInteger(value) && value >= 0 && value <= max ? value : null
}
