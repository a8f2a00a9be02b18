import type { CandleResource, StreamErrorCode, TradeResource } from '@tickertape/market-api'

import type { StatsOf } from './rest.ts'

/**
 * Why what came before cannot be gone on from; a snapshot follows, and between the two something may be missing
 * that REST can tell. `position_too_old`, `position_unknown`: the gateway no longer, or never, had the
 * position that was resumed from. `no_position`: the connection was lost before the gateway told one.
 * `fell_behind`: the reader of an iterable took its events more slowly than they came.
 */
export type ResetReason = 'position_too_old' | 'position_unknown' | 'no_position' | 'fell_behind'

export interface Reset {
  readonly type: 'reset'
  readonly reason: ResetReason
}

export type CandleEvent =
  /** The latest candles of each window length, oldest first: what came before is replaced. */
  | { readonly type: 'snapshot'; readonly candles: readonly CandleResource[] }
  /** An open window that grew, or one that has closed. */
  | { readonly type: 'update'; readonly candle: CandleResource }
  /** A closed window that has changed. */
  | { readonly type: 'revision'; readonly candle: CandleResource }
  | Reset

export type TradeEvent =
  | { readonly type: 'snapshot'; readonly trades: readonly TradeResource[] }
  | { readonly type: 'update'; readonly trade: TradeResource }
  /** A later version of a trade: a correction, a confirmation or a cancel. */
  | { readonly type: 'revision'; readonly trade: TradeResource }
  | Reset

export type StatsEvent<Subject extends keyof StatsOf = keyof StatsOf> =
  | { readonly type: 'snapshot'; readonly stats: readonly StatsOf[Subject][] }
  | { readonly type: 'update'; readonly stats: StatsOf[Subject] }
  | Reset

export type StreamEvent = CandleEvent | TradeEvent | StatsEvent

/**
 * What the gateway says of a subscription that goes on: with `instrument_not_followed`, that an instrument fits its
 * pattern but not the connection's limit. Neither it nor later ones are sent.
 */
export interface Notice {
  readonly type: 'notice'
  readonly code: StreamErrorCode
  readonly message: string
}

/** A subscription that the gateway refused. */
export class SubscriptionError extends Error {
  override readonly name = 'SubscriptionError'
  readonly code: StreamErrorCode

  constructor(message: string, code: StreamErrorCode) {
    super(message)
    this.code = code
  }
}

/** How the connection does. */
export type StreamState =
  /** Nothing is subscribed, so nothing is connected. */
  | { readonly status: 'idle' }
  | { readonly status: 'connecting' }
  | { readonly status: 'live'; readonly instance: string }
  /** Lost; the next try comes at `retryAt` (ms since the epoch), or at `retryNow()`. */
  | {
      readonly status: 'waiting'
      readonly retryAt: number
      readonly tries: number
      readonly reason: string
    }
  /** The gateway wants a token, or another one: nothing is tried before `setToken`. */
  | { readonly status: 'unauthenticated' }
  | { readonly status: 'closed' }
