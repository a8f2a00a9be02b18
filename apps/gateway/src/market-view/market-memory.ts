import type { InstrumentSummary, StatsSpan, StatsSubject } from '@tickertape/market-api'
import { instrumentIdOf, isInterval } from '@tickertape/market-model'
import type {
  Candle,
  FeedHeartbeat,
  InstrumentStatus,
  Interval,
  MarketEvent,
  Trade,
} from '@tickertape/market-model'

import type {
  EncodedCandle,
  EncodedStats,
  EncodedTrade,
  FeedView,
  MarketUpdate,
  Place,
  StreamPosition,
} from '../market-view.ts'
import { Backlog } from './backlog.ts'
import type { BacklogLimits, PlacedUpdate } from './backlog.ts'
import { TextBudget } from './candle-texts.ts'
import { dayMs } from './day-prices.ts'
import { FeedTimes } from './feed-times.ts'
import { InstrumentMemory } from './instrument-memory.ts'
import type { InstrumentDescription, InstrumentLimits } from './instrument-memory.ts'
import { RecalledRecords } from './recalled-records.ts'
import { StatsBoard } from './stats-board.ts'

export interface MemoryLimits extends InstrumentLimits {
  readonly backlog: BacklogLimits
  /** Most bytes of JSON that are kept of closed candles that were asked for. */
  readonly candleTextBytes: number
  /** Trades and heartbeats further ahead of when they were received, in ms, count for nothing. */
  readonly futureToleranceMs: number
}

/** What a record did: the update that it brought, or why it brought none. */
export type RecordOutcome =
  | MarketUpdate
  | 'known'
  | 'no update'
  | 'future'
  | 'unknown_interval'
  /** Rows reflect it: it is only remembered for those who resume. */
  | 'recalled'

/** Where a record stands in its topic. */
export interface RecordPlace {
  readonly partition: number
  readonly offset: number
}

/** Where a memory begins: what rows and watermarks said at these offsets. */
export interface MemoryStart {
  readonly position: StreamPosition
  /** Where records begin, if before these offsets: those between are remembered for who resumes, no more. */
  readonly backlogFrom?: StreamPosition
  readonly watermarks: readonly {
    readonly partition: number
    readonly feedId: string
    readonly upTo: number
  }[]
}

/** How much later than its feeds vouch, in ms, statistics move on: the windows' grace, and as much again for their candles to come. */
const statsDelayMs = 2_000

/**
 * The latest of everything, by what is applied to it: rows first, by the methods that begin with `restore`,
 * then each record once, those of a partition in order. Without I/O and clock: rows of any moment with the
 * records behind it give what all records give.
 */
export class MarketMemory {
  /** Next offsets that the rows do not reflect. */
  readonly rowsUpTo: StreamPosition
  readonly #limits: MemoryLimits
  readonly #instruments = new Map<string, InstrumentMemory>()
  readonly #feeds = new FeedTimes()
  readonly #stats: StatsBoard
  readonly #backlog: Backlog
  readonly #recalled: RecalledRecords
  readonly #texts: TextBudget

  constructor(start: MemoryStart, limits: MemoryLimits) {
    this.#limits = limits
    this.#texts = new TextBudget(limits.candleTextBytes)
    this.rowsUpTo = start.position
    this.#backlog = new Backlog(start.backlogFrom ?? start.position, limits.backlog)
    this.#recalled = new RecalledRecords(limits.tradeIdentities)
    for (const { partition, feedId, upTo } of start.watermarks) {
      this.#feeds.moveTo(partition, feedId, upTo)
    }
    const upTo = this.#feeds.liveUpTo()
    this.#stats = new StatsBoard(
      upTo === undefined ? 0 : upTo - statsDelayMs,
      (instrumentId) => this.#instruments.get(instrumentId)?.terms,
    )
  }

  /** Event time that statistics are as of. */
  get asOf(): number {
    return this.#stats.asOf
  }

  /** Next offsets of what has been applied; at first, from where records are applied. */
  position(): StreamPosition {
    return this.#backlog.position()
  }

  /** @param isDormant it has candles that are not applied: none within the last 24 hours. */
  restoreInstrument(
    instrumentId: string,
    description: InstrumentDescription | undefined,
    isDormant: boolean,
  ): void {
    const instrument = new InstrumentMemory(
      instrumentId,
      this.#limits,
      this.#texts,
      isDormant ? this.asOf - dayMs : 0,
    )
    if (description !== undefined) instrument.describe(description)
    this.#instruments.set(instrumentId, instrument)
  }

  /** One of the latest of its interval. */
  restoreCandle(candle: Candle): void {
    if (isInterval(candle.interval)) {
      this.#instrument(candle.instrumentId).applyCandle(candle, candle.interval, 0)
    }
  }

  /** A closed 1s or 1m candle that statistics are made of. */
  restoreForStats(candle: Candle): void {
    if (candle.interval === '1m') this.#instrument(candle.instrumentId).applyMinute(candle)
    this.#stats.apply(candle)
  }

  /** Before the trades that are held: one that is known again only. */
  restoreTradeIdentity(instrumentId: string, tradeId: string, version: number): void {
    this.#instrument(instrumentId).knowTrade(tradeId, version)
  }

  restoreTrade(trade: Trade, now: number): void {
    this.#instrument(instrumentIdOf(trade)).applyTrade(trade, now)
  }

  /** A record of `candles`. */
  applyCandle(candle: Candle, place: RecordPlace): RecordOutcome {
    if (place.offset < (this.rowsUpTo.candles[place.partition] ?? 0)) {
      return this.#recallCandle(candle, place)
    }
    if (!isInterval(candle.interval)) return 'unknown_interval'
    const instrument = this.#instrument(candle.instrumentId)
    const encoded = instrument.applyCandle(candle, candle.interval, place.offset + 1)
    if (encoded === undefined) return 'known'
    if (candle.final) this.#stats.apply(candle)
    const { partition, offset } = place
    return this.#placed({
      type: 'candle',
      candle: encoded,
      place: { topic: 'candles', partition, offset },
    })
  }

  /** A record of `candles-live`. */
  applyOpenCandle(candle: Candle): RecordOutcome {
    if (!isInterval(candle.interval)) return 'unknown_interval'
    if (candle.final) return 'known'
    const encoded = this.#instrument(candle.instrumentId).applyCandle(candle, candle.interval, 0)
    if (encoded === undefined) return 'known'
    return { type: 'candle', candle: encoded, place: undefined }
  }

  /**
   * A record of `market-events`.
   *
   * @param now ms since the epoch, for what expires by it.
   */
  applyEvent(event: MarketEvent, place: RecordPlace, now: number): RecordOutcome {
    if (place.offset < (this.rowsUpTo.marketEvents[place.partition] ?? 0)) {
      return this.#recallEvent(event, place, now)
    }
    switch (event.type) {
      case 'Trade':
        return this.#applyTrade(event.value, place, now)
      case 'FeedHeartbeat':
        return this.#applyHeartbeat(event.value, place)
      case 'InstrumentStatus':
        return this.#applyStatus(event.value)
      default:
        return 'no update'
    }
  }

  /**
   * Whatever stands before the offset has been applied.
   *
   * @param end where the partition ends, as last told.
   */
  moveTo(topic: Place['topic'], partition: number, next: number, end?: number): void {
    this.#backlog.moveTo(topic, partition, next, end)
  }

  /** No record that the rows reflect comes any more. */
  endRecall(): void {
    this.#recalled.clear()
  }

  /** Encodes statistics as they are now, and lets dormant instruments go. @returns what changed. */
  refreshStats(): readonly MarketUpdate[] {
    for (const instrument of this.#instruments.values()) {
      instrument.forgetIfDormant(this.asOf - dayMs)
    }
    return this.#stats.refresh()
  }

  instrumentIds(): Iterable<string> {
    return this.#instruments.keys()
  }

  candles(instrumentId: string, interval: Interval, count: number): readonly EncodedCandle[] {
    return this.#instruments.get(instrumentId)?.candles(interval, count) ?? []
  }

  heldFrom(instrumentId: string, interval: Interval): number | undefined {
    return this.#instruments.get(instrumentId)?.heldFrom(interval)
  }

  releasedTo(instrumentId: string, interval: Interval): number {
    return this.#instruments.get(instrumentId)?.releasedTo(interval) ?? 0
  }

  trades(instrumentId: string, count: number, now: number): readonly EncodedTrade[] {
    return this.#instruments.get(instrumentId)?.trades(count, now) ?? []
  }

  stats(of: StatsSubject, span: StatsSpan): ReadonlyMap<string, EncodedStats> {
    return this.#stats.encoded(of, span)
  }

  summary(instrumentId: string): InstrumentSummary | null {
    return this.#instruments.get(instrumentId)?.summary(this.#stats) ?? null
  }

  feeds(): readonly FeedView[] {
    const counts = new Map<string, number>()
    for (const feedId of this.#feeds.feedIds()) counts.set(feedId, 0)
    for (const { feedId } of this.#instruments.values()) {
      if (feedId !== undefined) counts.set(feedId, (counts.get(feedId) ?? 0) + 1)
    }
    return [...counts].map(([feedId, instruments]) => ({
      feedId,
      upTo: this.#feeds.upTo(feedId),
      instruments,
    }))
  }

  since(
    position: StreamPosition,
    topics?: readonly Place['topic'][],
  ): readonly PlacedUpdate[] | 'too_old' | 'unknown' {
    return this.#backlog.since(position, topics)
  }

  #applyTrade(trade: Trade, place: RecordPlace, now: number): RecordOutcome {
    if (this.#isFuture(trade)) return 'future'
    const encoded = this.#instrument(instrumentIdOf(trade)).applyTrade(trade, now)
    if (encoded === undefined) return 'known'
    const { partition, offset } = place
    return this.#placed({
      type: 'trade',
      trade: encoded,
      place: { topic: 'market-events', partition, offset },
    })
  }

  #applyHeartbeat({ feedId, upTo, receivedAt }: FeedHeartbeat, place: RecordPlace): RecordOutcome {
    if (upTo > receivedAt + this.#limits.futureToleranceMs) return 'future'
    if (this.#feeds.moveTo(place.partition, feedId, upTo)) {
      this.#stats.advance((this.#feeds.liveUpTo() ?? 0) - statsDelayMs)
    }
    return 'no update'
  }

  #applyStatus(status: InstrumentStatus): RecordOutcome {
    this.#instrument(status.instrumentId).describe(status)
    this.#stats.termsChanged(status.instrumentId)
    return 'no update'
  }

  #recallCandle(candle: Candle, { partition, offset }: RecordPlace): RecordOutcome {
    const encoded = this.#recalled.candle(candle)
    if (encoded !== undefined) {
      const place = { topic: 'candles', partition, offset } as const
      this.#backlog.add({ type: 'candle', candle: encoded, place })
    }
    return 'recalled'
  }

  #recallEvent(event: MarketEvent, { partition, offset }: RecordPlace, now: number): RecordOutcome {
    if (event.type !== 'Trade' || this.#isFuture(event.value)) return 'recalled'
    const trade = this.#recalled.trade(event.value, now)
    if (trade !== undefined) {
      const place = { topic: 'market-events', partition, offset } as const
      this.#backlog.add({ type: 'trade', trade, place })
    }
    return 'recalled'
  }

  #isFuture({ eventTime, receivedAt }: Trade): boolean {
    return eventTime > receivedAt + this.#limits.futureToleranceMs
  }

  #placed(update: PlacedUpdate): PlacedUpdate {
    this.#backlog.add(update)
    return update
  }

  #instrument(instrumentId: string): InstrumentMemory {
    const known = this.#instruments.get(instrumentId)
    if (known !== undefined) return known
    const made = new InstrumentMemory(instrumentId, this.#limits, this.#texts, 0)
    this.#instruments.set(instrumentId, made)
    return made
  }
}
