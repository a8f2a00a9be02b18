import type { Interval } from '@tickertape/market-model'
import type { InstrumentSummary, StatsSpan, StatsSubject } from '@tickertape/market-api'
import type { SpanContext } from '@tickertape/tracing'

/**
 * Where the gateway's memory stands: for each partition, by number, the next offset of `candles` and of
 * `market-events` that it has not applied yet.
 */
export interface StreamPosition {
  readonly candles: readonly number[]
  readonly marketEvents: readonly number[]
}

/** A candle as it is sent: encoded once, whoever gets it. */
export interface EncodedCandle {
  readonly instrumentId: string
  readonly interval: Interval
  readonly windowStart: number
  readonly revision: number
  readonly rebuildId: number | null
  readonly final: boolean
  /** A CandleResource. */
  readonly json: string
}

/** A trade as it is sent. */
export interface EncodedTrade {
  readonly instrumentId: string
  readonly tradeId: string
  readonly version: number
  readonly eventTime: number
  /** A TradeResource. */
  readonly json: string
}

export interface EncodedStats {
  readonly of: StatsSubject
  readonly span: StatsSpan
  /** instrumentId, token (`BTC`) or pair (`BTC/USD`). */
  readonly name: string
  /** An InstrumentStatsResource, TokenStatsResource or PairStatsResource. */
  readonly json: string
}

/**
 * One thing that changed. `final` candles and trades have a place in the stream, those of open windows and
 * statistics have none: the next one stands for all before it.
 */
export type MarketUpdate =
  | { readonly type: 'candle'; readonly candle: EncodedCandle; readonly place: Place | undefined }
  | { readonly type: 'trade'; readonly trade: EncodedTrade; readonly place: Place }
  | { readonly type: 'stats'; readonly stats: EncodedStats }

/** Where the record stands that brought an update. */
export interface Place {
  readonly topic: 'candles' | 'market-events'
  readonly partition: number
  readonly offset: number
}

/**
 * @param appendedAt when Kafka took the oldest record of the batch, in ms since the epoch; undefined where
 *   no record brought it.
 * @param sampled where the traces stand that some of them are part of; undefined: none is.
 */
export type UpdatesListener = (
  updates: readonly MarketUpdate[],
  appendedAt?: number,
  sampled?: ReadonlyMap<MarketUpdate, SpanContext>,
) => void

export interface FeedView {
  readonly feedId: string
  /** Event time up to which the feed vouches, the least over partitions; null: it has not told. */
  readonly upTo: number | null
  /** Instruments that belong to it. */
  readonly instruments: number
}

/** What the gateway holds in memory: the latest of everything, right as of `position()`. */
export interface MarketView {
  /**
   * Next offsets of what has been applied. What is read from this object in the same turn of the event loop
   * is as of here, and the next call of a listener goes on from here.
   */
  position(): StreamPosition

  /** Every instrument with a candle, a trade or a status. */
  instrumentIds(): Iterable<string>

  /** The latest `count` standing candles that are held, oldest first; the open window is the last one. */
  candles(instrumentId: string, interval: Interval, count: number): readonly EncodedCandle[]

  /** From which windowStart on every candle of the interval is held; undefined: none is held. */
  heldFrom(instrumentId: string, interval: Interval): number | undefined

  /**
   * Next offset of `candles`, in the instrument's partition, behind all records of candles that are not held, and
   * maybe behind some that are: a database that was written up to it lacks nothing before `heldFrom`. 0: all that
   * were applied are held, or were in the database when the view began.
   */
  releasedTo(instrumentId: string, interval: Interval): number

  /** The latest `count` trades that are held, oldest first, each identity once, the version that stands. */
  trades(instrumentId: string, count: number): readonly EncodedTrade[]

  /** By name: instrumentId, token or `BASE/QUOTE`. */
  stats(of: StatsSubject, span: StatsSpan): ReadonlyMap<string, EncodedStats>

  /** null: no candle within the last 24 hours. */
  summary(instrumentId: string): InstrumentSummary | null

  feeds(): readonly FeedView[]

  /**
   * What came since a position, in the order of each partition. `too_old`: no longer remembered; `unknown`: a
   * position that these topics cannot have had. One that is somewhat ahead of `position()` is another instance's:
   * nothing came since then, and what is told next repeats what is between.
   *
   * @param topics those that count, and whose updates are given; the others' offsets may be anything.
   */
  since(
    position: StreamPosition,
    topics?: readonly Place['topic'][],
  ): readonly MarketUpdate[] | 'too_old' | 'unknown'

  /** Calls `listener` with every batch of updates, synchronously with the change, until disposed. */
  listen(listener: UpdatesListener): Disposable

  /** Calls `listener` when the view had to be made anew, so that what was sent may lack something. */
  onReset(listener: () => void): Disposable
}
