import { randomBytes } from 'node:crypto'

import type { OutgoingRecord } from '@tickertape/kafka-avro'

import type { MarketLogOptions } from './market-log.ts'

type Producer = MarketLogOptions['producer']

/**
 * The same producer, which gives one in so many of a topic's records with a key the header `traceparent`, so
 * that their way can be followed.
 *
 * @param oneIn 0 for none.
 */
export function traced(producer: Producer, topic: string, oneIn: number): Producer {
  if (oneIn === 0) return producer
  let left = oneIn
  return {
    get inFlight() {
      return producer.inFlight
    },
    acknowledged: () => producer.acknowledged(),
    whenInFlightBelow: (limit) => producer.whenInFlightBelow(limit),
    produce: (record) => {
      if (record.key === null || record.topic !== topic) {
        producer.produce(record)
        return
      }
      left -= 1
      if (left > 0) {
        producer.produce(record)
        return
      }
      left = oneIn
      producer.produce(withTrace(record))
    },
  }
}

function withTrace(record: OutgoingRecord): OutgoingRecord {
  return { ...record, headers: [...(record.headers ?? []), { traceparent: newTraceparent() }] }
}

/** A sampled trace of its own: https://www.w3.org/TR/trace-context/#traceparent-header, version 00. */
export function newTraceparent(): string {
  // 24 random bytes: that a part of them is all zeros, which is no id, does not happen.
  const bytes = randomBytes(24)
  return `00-${bytes.toString('hex', 0, 16)}-${bytes.toString('hex', 16)}-01`
}
