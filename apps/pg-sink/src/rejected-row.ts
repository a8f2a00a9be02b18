import { rejectedOrigin } from '@tickertape/kafka-avro'
import type { Message } from '@tickertape/kafka-avro'
import { timeText } from '@tickertape/market-store'
import type { RejectedRow } from '@tickertape/market-store'

/** A record of the topic `rejected`: what another service turned away. */
export function foreignReject(message: Message): RejectedRow {
  const origin = rejectedOrigin(message.headers)
  return {
    ...positionAndBytes(message),
    stage: printable(origin.stage),
    reason: printable(origin.reason),
    message: printable(origin.message),
    sourceTopic: origin.topic === null ? null : printable(origin.topic),
    sourcePartition: integerOrNull(origin.partition, 2 ** 31 - 1),
    sourceOffset: integerOrNull(origin.offset, Number.MAX_SAFE_INTEGER),
  }
}

/** A record that the sink itself cannot use; it stands where it was read. */
export function ownReject(message: Message, reason: string, explanation: string): RejectedRow {
  return {
    ...positionAndBytes(message),
    stage: 'pg-sink',
    reason,
    message: printable(explanation),
    sourceTopic: message.topic,
    sourcePartition: message.partition,
    sourceOffset: message.offset,
  }
}

function positionAndBytes(message: Message) {
  const { topic, partition, offset, key, value } = message
  return {
    topic,
    partition,
    offset,
    key: typeof key === 'string' ? Buffer.from(key) : (key ?? null),
    value,
    rejectedAt: timeText(message.timestamp ?? 0),
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
