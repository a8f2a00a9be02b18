import type { EventOutcome } from '@tickertape/candles'
import type { LogRecord } from '@tickertape/kafka-avro'

/** A record for the topic `rejected`. */
export interface Rejection {
  readonly record: LogRecord
  /** A code, for counting. */
  readonly reason: string
  /** For a person. */
  readonly message: string
}

const messages: Readonly<Partial<Record<EventOutcome, string>>> = {
  late: 'its window is forgotten: it came later than the horizon',
  conflict: 'an earlier record of this trade and version says something else',
  future: 'its time is too far ahead of when it was received',
  invalid:
    'price and quantity must be positive (prices of combos may be any), times after 1970, exponents within 400',
}

/** Why a record goes to `rejected`; undefined if it does not. */
export function rejectionOf(outcome: EventOutcome): string | undefined {
  return messages[outcome]
}
