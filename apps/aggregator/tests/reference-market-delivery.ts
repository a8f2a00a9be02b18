import type { MarketEvent, Trade } from '@tickertape/market-model'

import { feeds, isWithin, successorFeed } from './reference-market-instruments.ts'
import type { Timeline } from './reference-market-instruments.ts'
import { seededRandom } from './reference-market-random.ts'

export const replicas = ['a', 'b'] as const

export type Replica = (typeof replicas)[number]

/** Why the aggregator must reject a record; what the market is sure of without knowing the log's order. */
export type RejectIntent =
  | 'late'
  | 'future'
  | 'invalid'
  | 'conflict'
  | 'undecodable'
  | 'unknown_schema_id'

/** Bytes that hold no record. */
export interface Garbage {
  readonly type: 'Garbage'
  readonly form: 'text' | 'truncated' | 'unknown-schema' | 'none'
}

/** One append to the log. */
export interface Delivery {
  /** When, in ms since the epoch: the log is in this order. */
  readonly at: number
  readonly event: MarketEvent | Garbage
  /** The key; null: to every partition. */
  readonly instrumentId: string | null
  readonly intent: RejectIntent | null
}

export interface Connections {
  /** How far the replica is behind the venue at this time, in ms. */
  lag(feedId: string, replica: Replica, time: number): number
  isDown(feedId: string, replica: Replica, time: number): boolean
}

const lagBlockMs = 20_000

/** How the replicas' connections fare: each has good times and times in which it is seconds behind. */
export function connectionsOf(timeline: Timeline, seed: number): Connections {
  const blocks = Math.ceil((timeline.end - timeline.begin) / lagBlockMs) + 30
  const lags = new Map<string, readonly number[]>()
  for (const feedId of feeds) {
    for (const replica of replicas) {
      const random = seededRandom(seed, `lags of ${feedId} ${replica}`)
      const isSlow = replica === 'a' ? 0.02 : 0.06
      lags.set(
        `${feedId} ${replica}`,
        Array.from({ length: blocks }, () =>
          random.chance(isSlow) ? random.between(1_200, 5_000) : random.between(30, 250),
        ),
      )
    }
  }
  return {
    lag: (feedId, replica, time) => {
      const block = Math.floor((time - timeline.begin) / lagBlockMs)
      return lags.get(`${feedId} ${replica}`)?.[Math.max(0, block)] ?? 100
    },
    isDown: (feedId, replica, time) => {
      if (feedId === 'binance') return isWithin(time, timeline.binanceDeath)
      if (feedId === 'deribit') return replica === 'b' && isWithin(time, timeline.replicaDeath)
      if (feedId === 'okx') return time >= timeline.okxDeath
      return feedId === successorFeed && time < timeline.okxSuccession - 5_000
    },
  }
}

export function tradeDelivery(
  trade: Trade,
  at: number,
  instrumentId: string,
  intent: RejectIntent | null,
): Delivery {
  return { at, event: { type: 'Trade', value: trade }, instrumentId, intent }
}
