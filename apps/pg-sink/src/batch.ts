import type { Candle, FeedHeartbeat, SequenceGap, Trade } from '@tickertape/market-model'
import { candleRow, gapRow, timeText, tradeRow } from '@tickertape/market-store'
import type { CandleRow, GapRow, RejectedRow, TradeRow } from '@tickertape/market-store'

/** Where a record stands in the log. */
export interface RecordPosition {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** A partition and the offset of the next record to read from it. */
export interface NextOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

export interface WatermarkRow {
  readonly partition: number
  readonly feedId: string
  readonly upTo: string
  readonly heartbeatOffset: number
}

interface Watermark {
  readonly partition: number
  readonly feedId: string
  readonly upTo: number
  readonly heartbeatOffset: number
}

/** What one database transaction writes: rows of every table and the offsets behind them. */
export class Batch {
  readonly trades: TradeRow[] = []
  readonly rejected: RejectedRow[] = []
  readonly #candles = new Map<string, Candle>()
  readonly #gaps = new Map<string, GapRow>()
  readonly #watermarks = new Map<string, Watermark>()
  readonly #positions = new Map<string, NextOffset>()
  #records = 0
  #bytes = 0
  #lastEventTime: number | undefined

  get records(): number {
    return this.#records
  }

  /** Size of the records as they were read. */
  get bytes(): number {
    return this.#bytes
  }

  /** Newest event time of a trade; undefined without one. */
  get lastEventTime(): number | undefined {
    return this.#lastEventTime
  }

  /** The standing candle of each window, however many revisions of it the batch has. */
  get candles(): readonly CandleRow[] {
    return [...this.#candles.values()].map(candleRow)
  }

  get gaps(): readonly GapRow[] {
    return [...this.#gaps.values()]
  }

  get watermarks(): readonly WatermarkRow[] {
    return [...this.#watermarks.values()].map((at) => ({ ...at, upTo: timeText(at.upTo) }))
  }

  /** One for each partition that the batch has records of. */
  get positions(): readonly NextOffset[] {
    return [...this.#positions.values()]
  }

  /** The record is part of this batch, whatever rows come of it; offsets of a partition ascend. */
  reached({ topic, partition, offset }: RecordPosition, bytes: number): void {
    this.#records += 1
    this.#bytes += bytes
    this.#positions.set(`${topic} ${partition}`, { topic, partition, offset: offset + 1 })
  }

  /** The first record of an identity wins: what a batch has twice, the database drops. */
  addTrade(trade: Trade, position: RecordPosition): void {
    this.trades.push(tradeRow(trade, position))
    if (this.#lastEventTime === undefined || trade.eventTime > this.#lastEventTime) {
      this.#lastEventTime = trade.eventTime
    }
  }

  addCandle(candle: Candle): void {
    const key = `${candle.windowStart} ${candle.interval} ${candle.instrumentId}`
    const known = this.#candles.get(key)
    if (known === undefined || supersedes(candle, known)) this.#candles.set(key, candle)
  }

  /** The highest of a feed's heartbeats is its watermark; the latest is where its candles were emitted. */
  addHeartbeat({ feedId, upTo }: FeedHeartbeat, { partition, offset }: RecordPosition): void {
    const key = `${partition} ${feedId}`
    const known = this.#watermarks.get(key)?.upTo ?? upTo
    this.#watermarks.set(key, {
      partition,
      feedId,
      upTo: Math.max(known, upTo),
      heartbeatOffset: offset,
    })
  }

  /** The latest record of a gap stands; an instrument may have one of its own. */
  addGap(gap: SequenceGap, position: RecordPosition): void {
    const key = JSON.stringify([position.partition, gap.gapId, gap.instrumentId])
    this.#gaps.set(key, gapRow(gap, position))
  }

  addReject(row: RejectedRow): void {
    this.rejected.push(row)
  }
}

/** The highest (rebuildId, revision) of a window stands; null is the lowest rebuildId. */
export function supersedes(candle: Candle, other: Candle): boolean {
  const rebuild = candle.rebuildId ?? -1
  const otherRebuild = other.rebuildId ?? -1
  return rebuild === otherRebuild ? candle.revision > other.revision : rebuild > otherRebuild
}
