import type { FeedCursor } from '@tickertape/market-model'

import type { InstrumentDelivery } from './instrument-delivery.ts'
import type { UnsequencedDelivery } from './unsequenced-delivery.ts'

/** One instrument's way into the log. */
export type Delivery = InstrumentDelivery | UnsequencedDelivery

/** How far an instrument is delivered: of its cursor what is not its feed's. */
export type Place = Omit<FeedCursor, 'upTo' | 'vouchesFrom' | 'openGaps'>

/** What names a delivery in the log, and where it begins. */
export interface DeliveryNames {
  readonly feedId: string
  readonly replicaId: string
  readonly instrument: string
  readonly instrumentId: string
  readonly cursor: Place | undefined
}

/** Where an instrument's delivery begins. */
export type Beginning =
  /** Not known yet. */
  | 'unknown'
  /** Behind a trade, from the cursor or the venue's history. */
  | 'known'
  /** The venue had no trade when we began: its first one is ours too. */
  | 'at the first trade'
  /** The venue's history does not tell: whatever the stream brings first. */
  | 'with the stream'

export interface OfferedCounts {
  /** Trades written to the log. */
  delivered: number
  duplicates: number
  rejected: number
}

export function noneOffered(): OfferedCounts {
  return { delivered: 0, duplicates: 0, rejected: 0 }
}
