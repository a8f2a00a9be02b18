import type { EventOutcome } from '@tickertape/candles'
import type { LogRecord, RejectReason } from '@tickertape/kafka-avro'

/** A record for the topic `rejected`. */
export interface Rejection {
  readonly record: LogRecord
  readonly reason: RejectReason
  /** For a person. */
  readonly message: string
}

const messages: Readonly<Record<EventOutcome & RejectReason, string>> = {
  late: 'its window is forgotten: it came later than the horizon',
  conflict: 'an earlier record of this trade and version says something else',
  future: 'its time is too far ahead of when it was received',
  invalid:
    'price and quantity must be positive (prices of combos may be any), times after 1970, exponents within 400',
}

/** Why a record goes to `rejected`; undefined if it does not. */
export function rejectionOf(outcome: EventOutcome): Omit<Rejection, 'record'> | undefined {
  if (!isRejection(outcome)) return undefined
  return { reason: outcome, message: messages[outcome] }
}

function isRejection(outcome: EventOutcome): outcome is EventOutcome & RejectReason {
  return Object.hasOwn(messages, outcome)
}
