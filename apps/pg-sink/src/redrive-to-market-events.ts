import { topicName } from '@tickertape/kafka-avro'
import type { OutgoingRecord } from '@tickertape/kafka-avro'
import type { RejectedRecord } from '@tickertape/redrive'

/**
 * What the aggregator could not use, as it was, behind everything that is in its partition by now.
 *
 * @returns a text that says why the record cannot be put back.
 */
export function marketEventOf(
  { key, source, value }: RejectedRecord,
  topicPrefix: string,
): readonly OutgoingRecord[] | string {
  const topic = topicName('market-events', topicPrefix)
  if (source === null || source.topic !== topic) {
    return `it was not read from ${topic}, but from ${source?.topic ?? 'nowhere'}`
  }
  if (value === null) return 'it has no value'
  return [{ topic, partition: source.partition, key, value }]
}
