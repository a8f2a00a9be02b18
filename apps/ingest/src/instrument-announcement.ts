import type { InstrumentStatus } from '@tickertape/market-model'

import type { InstrumentFacts } from './instrument-catalog.ts'

export interface Announcement {
  readonly instrumentId: string
  readonly feedId: string
  readonly status: InstrumentStatus['status']
  /** As the catalog told them; undefined where it could not be had. */
  readonly facts: InstrumentFacts | undefined
  /** The venue's time, milliseconds since the epoch. */
  readonly eventTime: number
}

/** The record that tells what an instrument is and to which feed it belongs. */
export function statusRecord(
  { instrumentId, feedId, status, facts, eventTime }: Announcement,
  receivedAt: number,
): InstrumentStatus {
  return {
    instrumentId,
    feedId,
    status,
    eventTime,
    receivedAt,
    base: facts?.base ?? null,
    quote: facts?.quote ?? null,
    kind: facts?.kind ?? null,
    quantityUnit: facts?.quantityUnit ?? null,
  }
}
