import type { LogRecord, RejectReason } from '@tickertape/kafka-avro'
import type {
  Candle,
  FeedHeartbeat,
  InstrumentStatus,
  SequenceGap,
  Trade,
} from '@tickertape/market-model'
import {
  CopyRows,
  gapRow,
  instrumentRow,
  timeText,
  tradeDay,
  tradeFormat,
} from '@tickertape/market-store'
import type { GapRow, InstrumentRow, RejectedRow } from '@tickertape/market-store'

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

/** A record that the sink cannot use. */
export interface Reject {
  readonly record: LogRecord
  readonly reason: RejectReason
  /** For a person. */
  readonly message: string
}

/** What one database transaction writes: rows of every table and the offsets behind them. */
export class Batch {
  /** What the sink cannot use: a row of `rejected`, and a record of the topic. */
  readonly rejects: Reject[] = []
  /** What others could not use, as the topic `rejected` tells of it. */
  readonly foreignRejects: RejectedRow[] = []
  /** The trades as COPY takes them, in the order of the log. */
  readonly trades: CopyRows<Trade>
  readonly #records: LogRecord[] = []
  readonly #days = new Set<number>()
  readonly #candles = new Map<string, Candle>()
  readonly #gaps = new Map<string, GapRow>()
  readonly #watermarks = new Map<string, Watermark>()
  readonly #instruments = new Map<string, InstrumentRow>()
  readonly #positions = new Map<string, NextOffset>()
  #knownTrades = 0
  #lastDay: number | undefined
  #lastTopic = ''
  #lastPartition = -1
  #lastOffset = -1
  #bytes = 0
  #lastEventTime: number | undefined

  /** @param trades without rows; whoever gives it may use its memory again. */
  constructor(trades: CopyRows<Trade> = new CopyRows(tradeFormat)) {
    this.trades = trades
  }

  /** Everything that was read, in order: what a second look at the batch begins from. */
  get records(): readonly LogRecord[] {
    return this.#records
  }

  /** Size of the records as they were read. */
  get bytes(): number {
    return this.#bytes
  }

  /** Trades that came before, in this batch or an earlier one. */
  get knownTrades(): number {
    return this.#knownTrades
  }

  /** UTC days of the trades. */
  get tradeDays(): ReadonlySet<number> {
    return this.#days
  }

  /** Newest event time of a trade; undefined without one. */
  get lastEventTime(): number | undefined {
    return this.#lastEventTime
  }

  /** The standing candle of each window, however many revisions of it the batch has. */
  get candles(): readonly Candle[] {
    return [...this.#candles.values()]
  }

  get gaps(): readonly GapRow[] {
    return [...this.#gaps.values()]
  }

  get watermarks(): readonly WatermarkRow[] {
    return [...this.#watermarks.values()].map((at) => ({ ...at, upTo: timeText(at.upTo) }))
  }

  /** Each instrument as its last record describes it. */
  get instruments(): readonly InstrumentRow[] {
    return [...this.#instruments.values()]
  }

  /** One for each partition that the batch has records of. */
  get positions(): readonly NextOffset[] {
    this.#keepPosition()
    return [...this.#positions.values()]
  }

  /** The record is part of this batch, whatever rows come of it; offsets of a partition ascend. */
  reached(record: LogRecord): void {
    if (record.partition !== this.#lastPartition || record.topic !== this.#lastTopic) {
      this.#keepPosition()
      this.#lastTopic = record.topic
      this.#lastPartition = record.partition
    }
    this.#lastOffset = record.offset
    this.#records.push(record)
    this.#bytes += record.value?.length ?? 0
  }

  /** @throws MarketStoreError `not_storable` for a number that its column cannot hold. */
  addTrade(trade: Trade, position: RecordPosition): void {
    this.trades.append(trade, position)
    const { eventTime } = trade
    const day = tradeDay(eventTime)
    if (day !== this.#lastDay) {
      this.#lastDay = day
      this.#days.add(day)
    }
    if (this.#lastEventTime === undefined || eventTime > this.#lastEventTime) {
      this.#lastEventTime = eventTime
    }
  }

  skipKnownTrade(): void {
    this.#knownTrades += 1
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

  addInstrument(status: InstrumentStatus, position: RecordPosition): void {
    const earlier = this.#instruments.get(status.instrumentId)
    this.#instruments.set(status.instrumentId, instrumentRow(status, position, earlier))
  }

  addForeignReject(row: RejectedRow): void {
    this.foreignRejects.push(row)
  }

  addReject(reject: Reject): void {
    this.rejects.push(reject)
  }

  /** Records come many of a partition: its position is kept when another one's begin. */
  #keepPosition(): void {
    if (this.#lastOffset < 0) return
    const [topic, partition] = [this.#lastTopic, this.#lastPartition]
    this.#positions.set(`${topic} ${partition}`, { topic, partition, offset: this.#lastOffset + 1 })
  }
}

/** The highest (rebuildId, revision) of a window stands; null is the lowest rebuildId. */
export function supersedes(candle: Candle, other: Candle): boolean {
  const rebuild = candle.rebuildId ?? -1
  const otherRebuild = other.rebuildId ?? -1
  return rebuild === otherRebuild ? candle.revision > other.revision : rebuild > otherRebuild
}
