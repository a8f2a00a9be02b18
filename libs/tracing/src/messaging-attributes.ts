import type { Attributes } from './tracing.ts'

export interface MessagingFacts {
  /** `commit` tells Kafka how far records are done with. */
  readonly operation: 'commit' | 'process' | 'receive' | 'send'
  /** The topic as Kafka has it. */
  readonly topic: string
  readonly partition?: number
  /** Of a single record. */
  readonly offset?: number
  readonly key?: Buffer | string | null | undefined
  readonly groupId?: string
  /** Records of a batch; left out for a single one. */
  readonly messageCount?: number
}

/**
 * What a span says of Kafka's records, by the semantic conventions of messaging:
 * https://opentelemetry.io/docs/specs/semconv/messaging/kafka/
 */
export function messagingAttributes(facts: MessagingFacts): Attributes {
  return {
    'messaging.system': 'kafka',
    'messaging.operation.name': facts.operation,
    'messaging.operation.type': facts.operation === 'commit' ? 'settle' : facts.operation,
    'messaging.destination.name': facts.topic,
    'messaging.destination.partition.id':
      facts.partition === undefined ? undefined : String(facts.partition),
    'messaging.kafka.offset': facts.offset,
    'messaging.kafka.message.key': facts.key?.toString(),
    'messaging.consumer.group.name': facts.groupId,
    'messaging.batch.message_count': facts.messageCount,
  }
}
