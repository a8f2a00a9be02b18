// Made by libs/kafka-avro/generate-records.ts from the Avro schemas. Do not edit.
import type { Decimal } from './decimal.ts'

/** How far event time has come for one feed */
export interface FeedWatermark {
  /** The feed */
  readonly feedId: string
  /** Highest upTo of its heartbeats */
  readonly upTo: number
  /** Every window of the feed that ends at or before this is closed; behind upTo less grace while a heartbeat is written in part; 0 before the first */
  readonly closedUntil: number
  /** Windows of the lowest interval that end at or before this take no more trades, but for those that a gap holds */
  readonly forgottenUntil: number
}

export type GapState = 'open' | 'backfilled' | 'unrecoverable'

/** A gap that may still touch a window that is not forgotten */
export interface KnownGap {
  /** Equal in every record about one gap */
  readonly gapId: string
  /** The feed that missed trades */
  readonly feedId: string
  /** null: the whole feed, but for instruments with a record of their own under this gapId */
  readonly instrumentId: string | null
  /** Event time, inclusive */
  readonly fromTime: number
  /** Event time, exclusive */
  readonly toTime: number
  /** First missing sequence, where there are sequences */
  readonly fromSequence: number | null
  /** Last missing sequence */
  readonly toSequence: number | null
  /** As last announced */
  readonly state: GapState
  /** It holds windows from here on: earlier ones were forgotten when it was announced; null: it holds none */
  readonly heldFrom: number | null
}

/** A rebuild whose candles are written in part */
export interface RebuildProgress {
  /** Offset of its record in market-events: its rebuildId */
  readonly offset: number
  /** How many of its candles are written */
  readonly candles: number
}

/** What a new owner of a partition must know before it reads it. Key: partition. */
export interface PartitionState {
  /** Setting that the candles were made with */
  readonly graceMs: number
  /** Setting that the candles were made with */
  readonly futureToleranceMs: number
  /** Setting that the candles were made with */
  readonly quietSpanMs: number
  /** Setting that the candles were made with; -1: by a version without revisions */
  readonly horizonMs: number
  /** Setting that the candles were made with */
  readonly gapSpanMs: number
  /** Setting that the candles were made with */
  readonly intervals: readonly string[]
  /** Setting that the candles were made with */
  readonly indicators: readonly string[]
  /** Position in market-events after this transaction; the offset of a heartbeat whose candles are written in part */
  readonly committedOffset: number
  /** First offset that an open window still needs; committedOffset where none is open */
  readonly restoreOffset: number
  /** One a feed */
  readonly watermarks: readonly FeedWatermark[]
  /** Of all feeds */
  readonly gaps: readonly KnownGap[]
  /** null: none is under way */
  readonly rebuild: RebuildProgress | null
}

export type InstrumentKind = 'spot' | 'perpetual' | 'future' | 'option' | 'combo'

export type QuantityUnit = 'base' | 'quote' | 'contract'

/** Sequences, both ends inclusive */
export interface SequenceRange {
  /** First */
  readonly from: number
  /** Last */
  readonly to: number
}

/** What is known of one instrument besides its windows. Key: the instrumentId. */
export interface InstrumentState {
  /** venue:instrument */
  readonly instrumentId: string
  /** The feed that it belongs to */
  readonly feedId: string
  /** Offset in market-events of the record that made the instrument known, or told last what it is: a replay leaves out its trades before it */
  readonly sinceOffset: number
  /** Windows that begin before this are partial: they began before the instrument was known; null before the first window closed */
  readonly completeFrom: number | null
  /** Windows of the lowest interval that end at or before this are closed, as far as the instrument itself remembers; that of its feed may be later */
  readonly closedUntil: number
  /** As that of its feed, as far as the instrument itself remembers */
  readonly forgottenUntil: number
  /** The venue's time of the last expiry announced; null without one */
  readonly expiredAt: number | null
  /** null: unknown */
  readonly kind: InstrumentKind | null
  /** null: unknown */
  readonly quantityUnit: QuantityUnit | null
  /** Windows without trades are emitted, from 1m upward */
  readonly active: boolean
  /** Came from another feed, and no heartbeat of this feed has closed windows since */
  readonly joining: boolean
  /** Sequences of trades in forgotten windows; ascending, disjoint */
  readonly covered: readonly SequenceRange[]
}

export type CandleQuality = 'complete' | 'quiet' | 'gap' | 'backfilled' | 'partial'

/** A window that is closed or rolls up closed children, without its trades. */
export interface WindowSums {
  /** Event time, inclusive */
  readonly windowStart: number
  /** Price of the first trade */
  readonly open: Decimal
  /** Highest price */
  readonly high: Decimal
  /** Lowest price */
  readonly low: Decimal
  /** Price of the last trade */
  readonly close: Decimal
  /** Sum of quantities */
  readonly volume: Decimal
  /** Sum of quantities that takers bought */
  readonly buyVolume: Decimal
  /** Sum of price * quantity */
  readonly quoteVolume: Decimal
  /** Sum in US dollars; null if any part is unknown */
  readonly notionalUsd: Decimal | null
  /** Confirmed trades */
  readonly tradeCount: number
  /** Lowest sequence inside */
  readonly firstSequence: number | null
  /** Highest sequence inside */
  readonly lastSequence: number | null
  /** As in its latest candle */
  readonly quality: CandleQuality
}

/** Where a trade stands among those of its instrument */
export interface TradeOrder {
  /** The venue's time */
  readonly eventTime: number
  /** Comes after those without */
  readonly sequence: number | null
  /** Comes after those without */
  readonly venueOrder: number | null
  /** By its bytes */
  readonly tradeId: string
}

/** In market-events, both ends inclusive */
export interface OffsetRange {
  /** First */
  readonly from: number
  /** Last */
  readonly to: number
}

/** An exponentially weighted mean between two observations */
export interface EwmaState {
  /** null before the first observation */
  readonly mean: number | null
  /** Weight of the mean against the next observation */
  readonly weight: number
  /** Observations so far */
  readonly observations: number
  /** Event time of the last observation, for time-decayed means */
  readonly lastTime: number | null
}

/** A window that does not live in memory alone: closed, or set aside while it is open. Key: instrumentId|interval|windowStart. */
export interface StoredWindow {
  /** What its trades come to */
  readonly sums: WindowSums
  /** Of the first trade; null above the lowest interval and without trades */
  readonly openOrder: TradeOrder | null
  /** Of the last trade */
  readonly closeOrder: TradeOrder | null
  /** Of its trades; empty above the lowest interval */
  readonly sequences: readonly SequenceRange[]
  /** 53-bit hashes of the ids of its trades without sequences, as little-endian doubles in arrival order; null without any */
  readonly ids: Uint8Array | null
  /** Where the records are that decide what it holds; empty above the lowest interval */
  readonly offsets: readonly OffsetRange[]
  /** Of its latest candle; -1 before the first */
  readonly revision: number
  /** What it holds may differ from its latest candle: the next heartbeat of the feed tells */
  readonly pending: boolean
  /** Of its latest candle */
  readonly rebuildId: number | null
  /** Quantities are in quote currency: the contract is inverse */
  readonly inverse: boolean
  /** Indicators after its first candle, in the order of the setting: the chain that the next window goes on */
  readonly means: readonly EwmaState[]
  /** Indicators of its latest candle, where a revision made them others */
  readonly revisedMeans: readonly EwmaState[] | null
}

/** Changelog of the aggregator: a record of one field, for a registry cannot hold a bare union. */
export type AggregatorState = { readonly type: 'PartitionState'; readonly value: PartitionState } | { readonly type: 'InstrumentState'; readonly value: InstrumentState } | { readonly type: 'StoredWindow'; readonly value: StoredWindow }

/** Open, high, low, close and sums of one window. Key: (instrumentId, interval, windowStart); the highest (rebuildId, revision) stands. */
export interface Candle {
  /** venue:instrument */
  readonly instrumentId: string
  /** 1s, 1m, 5m, 15m, 1h, 4h or 1d */
  readonly interval: string
  /** Event time, inclusive, aligned to the epoch */
  readonly windowStart: number
  /** Event time, exclusive */
  readonly windowEnd: number
  /** Price of the first trade */
  readonly open: Decimal
  /** Highest price */
  readonly high: Decimal
  /** Lowest price */
  readonly low: Decimal
  /** Price of the last trade */
  readonly close: Decimal
  /** Sum of quantities */
  readonly volume: Decimal
  /** Sum of quantities that takers bought */
  readonly buyVolume: Decimal
  /** Sum of price * quantity */
  readonly quoteVolume: Decimal
  /** Sum in US dollars; null if any part is unknown */
  readonly notionalUsd: Decimal | null
  /** quoteVolume / volume at 18 decimals, half to even; null where volume is 0 */
  readonly vwap: Decimal | null
  /** Confirmed trades */
  readonly tradeCount: number
  /** By configured name, for example close:span=12 */
  readonly indicators: Readonly<Record<string, number>>
  /** What is known of the window */
  readonly quality: CandleQuality
  /** 0 first */
  readonly revision: number
  /** false only in candles-live */
  readonly final: boolean
  /** Lowest sequence inside, where there are sequences */
  readonly firstSequence: number | null
  /** Highest sequence inside */
  readonly lastSequence: number | null
  /** Offset of the Rebuild record that asked for this candle; null is lowest */
  readonly rebuildId: number | null
}

/** A gap in time that may stand open in the log, and that whoever goes on from this cursor closes. */
export interface OpenGap {
  /** As in its SequenceGap */
  readonly gapId: string
  /** Event time, inclusive */
  readonly fromTime: number
  /** Event time, exclusive; null while the venue does not deliver the instrument */
  readonly toTime: number | null
}

/** How far one replica has delivered one instrument without a hole. A hint: too old costs duplicates only. */
export interface FeedCursor {
  /** The feed */
  readonly feedId: string
  /** Which ingest replica of the feed */
  readonly replicaId: string
  /** The venue's own symbol */
  readonly instrument: string
  /** Last contiguous sequence; null where the venue has none */
  readonly sequence: number | null
  /** Event time of the last trade delivered */
  readonly eventTime: number
  /** The last ids delivered, newest last, where there are no sequences; empty where there are */
  readonly tradeIds: readonly string[]
  /** Up to when the replica's heartbeats vouched for the feed and no gap of it was open: what a restart has missed begins here; null if they had not begun */
  readonly upTo: number | null
  /** Since when the replica's heartbeats vouch, without an absence of its own, for all instruments whose cursors say the same here; null while they do not */
  readonly vouchesFrom: number | null
  /** Gaps in time of the instrument, its feed's among them; written before they are told and taken away after they are closed */
  readonly openGaps: readonly OpenGap[]
}

export type TradeStatus = 'confirmed' | 'pending' | 'cancelled'

export type TakerSide = 'buy' | 'sell' | 'unknown'

/** One execution on a venue. Identity: (venue, instrument, tradeId, version); the first record of an identity in the log wins. */
export interface Trade {
  /** One market, for example binance or deribit */
  readonly venue: string
  /** The logical set of subscriptions that this trade came through */
  readonly feedId: string
  /** The venue's own symbol; instrumentId is venue:instrument */
  readonly instrument: string
  /** The venue's id; an aggregate trade's is prefixed with a */
  readonly tradeId: string
  /** 0 first; a correction has a higher one, derived from venue data only */
  readonly version: number
  /** Only confirmed trades count */
  readonly status: TradeStatus
  /** Contiguous per instrument; null where the venue has none */
  readonly sequence: number | null
  /** The venue's order among trades of equal time; null unless its WebSocket and REST agree on it */
  readonly venueOrder: number | null
  /** In quote currency for one unit */
  readonly price: Decimal
  /** In the instrument's quantity unit */
  readonly quantity: Decimal
  /** Value in US dollars; null if unknown */
  readonly notionalUsd: Decimal | null
  /** Side of the order that took liquidity */
  readonly takerSide: TakerSide
  /** The venue's time of the execution */
  readonly eventTime: number
  /** When ingest received it, by its own clock */
  readonly receivedAt: number
  /** The venue's index at the trade */
  readonly indexPrice: Decimal | null
  /** The venue's mark at the trade */
  readonly markPrice: Decimal | null
  /** Percent, options only */
  readonly impliedVolatility: Decimal | null
  /** The venue's liquidation code */
  readonly liquidation: string | null
  /** The venue's code for the price move */
  readonly tickDirection: number | null
  /** OTC only */
  readonly counterparty: string | null
  /** OTC only */
  readonly book: string | null
  /** OTC only */
  readonly maturesAt: number | null
  /** Swaps only */
  readonly txHash: string | null
  /** Swaps only */
  readonly baseToken: string | null
  /** Swaps only */
  readonly quoteToken: string | null
}

/** This feed is connected and has delivered everything up to upTo. Written to every partition, at least once a second. */
export interface FeedHeartbeat {
  /** The feed that speaks */
  readonly feedId: string
  /** Which ingest replica of the feed */
  readonly replicaId: string
  /** Event time, by the venue's clock */
  readonly upTo: number
  /** When ingest wrote it, by its own clock */
  readonly receivedAt: number
}

/** Trades that a feed knows, or must suspect, to have missed. */
export interface SequenceGap {
  /** Equal in every record about one gap */
  readonly gapId: string
  /** The feed that missed them */
  readonly feedId: string
  /** Which ingest replica of the feed */
  readonly replicaId: string
  /** null: the whole feed */
  readonly instrumentId: string | null
  /** Event time, inclusive */
  readonly fromTime: number
  /** Event time, exclusive */
  readonly toTime: number
  /** First missing sequence, where there are sequences */
  readonly fromSequence: number | null
  /** Last missing sequence */
  readonly toSequence: number | null
  /** open until the gap is filled or given up */
  readonly state: GapState
}

export type ListingStatus = 'listed' | 'expired'

/** An instrument begins or ends, changes its feed, or is described. */
export interface InstrumentStatus {
  /** venue:instrument */
  readonly instrumentId: string
  /** The one feed that the instrument belongs to from here on */
  readonly feedId: string
  /** Flat candles end with expired */
  readonly status: ListingStatus
  /** The venue's time of the change */
  readonly eventTime: number
  /** When ingest wrote it, by its own clock */
  readonly receivedAt: number
  /** What is traded; null: unknown */
  readonly base: string | null
  /** What prices are in; null: unknown */
  readonly quote: string | null
  /** null: unknown; prices of a combo may be zero or negative */
  readonly kind: InstrumentKind | null
  /** null: unknown; quote on a contract: it is inverse */
  readonly quantityUnit: QuantityUnit | null
}

/** Ask the aggregator to compute candles again from the log up to this record. */
export interface Rebuild {
  /** Event time, inclusive */
  readonly fromTime: number
  /** Event time, exclusive */
  readonly toTime: number
  /** Where reading begins in this partition: no earlier record is of a window to be computed */
  readonly fromOffset: number
  /** When it was asked for */
  readonly requestedAt: number
}

/** What a feed says, in one log: a record of one field, for a registry cannot hold a bare union. */
export type MarketEvent = { readonly type: 'Trade'; readonly value: Trade } | { readonly type: 'FeedHeartbeat'; readonly value: FeedHeartbeat } | { readonly type: 'SequenceGap'; readonly value: SequenceGap } | { readonly type: 'InstrumentStatus'; readonly value: InstrumentStatus } | { readonly type: 'Rebuild'; readonly value: Rebuild }
