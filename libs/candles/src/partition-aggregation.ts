import type {
  Candle,
  FeedHeartbeat,
  FeedWatermark,
  InstrumentState,
  InstrumentStatus,
  KnownGap,
  MarketEvent,
  PartitionState,
  SequenceGap,
  Trade,
} from '@tickertape/market-model'
import type { AggregationPlan, AggregationSettings } from './aggregation-settings.ts'
import type { Closing } from './window-closing.ts'
import { instrumentIdOf, intervalMs } from '@tickertape/market-model'
import { planAggregation, requireSameSettings } from './aggregation-settings.ts'
import { FeedProgress } from './feed-progress.ts'
import { InstrumentProgress } from './instrument-progress.ts'
import { OpenWindow } from './open-window.ts'
import { isCountable, isFromFuture } from './trade-checks.ts'
import { closeWindows } from './window-closing.ts'

/** What became of a trade. `uncounted`: its status is not confirmed. */
export type TradeOutcome = 'accepted' | 'duplicate' | 'late' | 'future' | 'invalid' | 'uncounted'

/** `ignored`: a kind of record that moves nothing yet. */
export type EventOutcome = TradeOutcome | 'ignored'

export interface AppliedEvent {
  readonly outcome: EventOutcome
  /** Closed by this record, in (windowEnd, interval, instrumentId) order. */
  readonly candles: readonly Candle[]
  /**
   * More candles are to come from this heartbeat: record the changes with its own offset as the
   * next one, then apply the same heartbeat again, before any other record.
   */
  readonly unfinished: boolean
}

export interface StateChanges {
  readonly partition: PartitionState
  readonly instruments: readonly InstrumentState[]
}

const lowestMs = intervalMs('1s')
const noCandles: readonly Candle[] = Object.freeze([])
// One object for each outcome: a trade costs no allocation here.
const applied: Readonly<Record<EventOutcome, AppliedEvent>> = {
  accepted: { outcome: 'accepted', candles: noCandles, unfinished: false },
  duplicate: { outcome: 'duplicate', candles: noCandles, unfinished: false },
  late: { outcome: 'late', candles: noCandles, unfinished: false },
  future: { outcome: 'future', candles: noCandles, unfinished: false },
  invalid: { outcome: 'invalid', candles: noCandles, unfinished: false },
  uncounted: { outcome: 'uncounted', candles: noCandles, unfinished: false },
  ignored: { outcome: 'ignored', candles: noCandles, unfinished: false },
}

/**
 * Candles of one partition of market-events. The records and their order decide everything: there
 * is no clock in here, so the same records give the same candles, in the same order.
 *
 * libs/candles/SPEC.md has the states, the transitions and the invariants.
 */
export class PartitionAggregation {
  readonly #plan: AggregationPlan
  readonly #feeds = new Map<string, FeedProgress>()
  readonly #instruments = new Map<string, InstrumentProgress>()
  /** The same instruments by venue and the venue's name: no instrumentId is built for a trade. */
  readonly #byVenue = new Map<string, Map<string, InstrumentProgress>>()
  #changed: InstrumentProgress[] = []
  #openWindows = 0
  #rememberedTradeIds = 0
  /** Offset of the heartbeat whose candles are not all out. */
  #unfinishedAt: number | undefined

  /** @throws AggregationSettingsError naming the first setting that cannot be used. */
  constructor(settings: AggregationSettings) {
    this.#plan = planAggregation(settings)
  }

  /**
   * A partition's state as the changelog holds it. Then replay the records from restoreOffset to
   * committedOffset.
   *
   * @throws AggregationSettingsError if the state was written with other settings.
   * @throws Error if there are instruments and no partition: the changelog has lost records.
   */
  static restore(
    settings: AggregationSettings,
    partition: PartitionState | undefined,
    instruments: Iterable<InstrumentState>,
  ): PartitionAggregation {
    const restored = new PartitionAggregation(settings)
    if (partition !== undefined) restored.#restorePartition(partition)
    for (const state of instruments) {
      if (partition === undefined) {
        throw new Error(
          `The changelog holds instrument ${state.instrumentId} but no state of its partition: it has lost records, rebuild the candles`,
        )
      }
      restored.#restoreInstrument(state)
    }
    return restored
  }

  /** Windows that still take trades: each holds a few hundred bytes. */
  get openWindows(): number {
    return this.#openWindows
  }

  /** Ids of trades without sequences in open windows. */
  get rememberedTradeIds(): number {
    return this.#rememberedTradeIds
  }

  get instrumentCount(): number {
    return this.#instruments.size
  }

  /** One for each feed that has sent a heartbeat. */
  watermarks(): FeedWatermark[] {
    const watermarks: FeedWatermark[] = []
    for (const { feedId, upTo, closedUntil } of this.#feeds.values()) {
      if (upTo !== null) watermarks.push({ feedId, upTo, closedUntil })
    }
    return watermarks
  }

  /**
   * Reads a record again that was applied before the restore: a trade of a window that is still
   * open goes back into it. Everything else that it did is in the restored state.
   */
  replay(event: MarketEvent, offset: number): void {
    if (event.type !== 'Trade') return
    const { value: trade } = event
    const known = this.#byVenue.get(trade.venue)?.get(trade.instrument)
    // What came before was late for the feed that it came through, whatever feed followed.
    if (known !== undefined && offset < known.sinceOffset) return
    this.#take(trade, offset, true)
  }

  /** Applies the next record; offsets ascend. */
  apply(event: MarketEvent, offset: number): AppliedEvent {
    if (event.type === 'Trade' && this.#unfinishedAt === undefined) {
      return applied[this.#take(event.value, offset, false)]
    }
    if (this.#unfinishedAt !== undefined && this.#unfinishedAt !== offset) {
      throw new Error(
        `Offset ${offset} cannot be applied: the heartbeat at ${this.#unfinishedAt} has candles to come, apply it again first`,
      )
    }
    switch (event.type) {
      case 'FeedHeartbeat':
        return this.#applyHeartbeat(event.value, offset)
      case 'SequenceGap':
        this.#applyGap(event.value)
        return applied.accepted
      case 'InstrumentStatus':
        this.#applyStatus(event.value, offset)
        return applied.accepted
      default:
        return applied.ignored
    }
  }

  /**
   * What changed since the last call: what the changelog must record with the candles.
   *
   * @param nextOffset the offset that is read next: one behind the last record applied, or that of
   *   an unfinished heartbeat.
   */
  takeChanges(nextOffset: number): StateChanges {
    if (this.#unfinishedAt !== undefined && this.#unfinishedAt !== nextOffset) {
      throw new Error(
        `Next offset ${nextOffset} cannot be recorded: the heartbeat at ${this.#unfinishedAt} has candles to come`,
      )
    }
    const plan = this.#plan
    const instruments = this.#changed.map((instrument) => {
      instrument.changed = false
      return instrument.toState(plan)
    })
    this.#changed = []
    let restoreOffset = nextOffset
    const gaps: KnownGap[] = []
    for (const feed of this.#feeds.values()) {
      restoreOffset = Math.min(restoreOffset, feed.firstNeededOffset())
      gaps.push(...feed.gaps.values())
    }
    const partition = {
      graceMs: plan.graceMs,
      futureToleranceMs: plan.futureToleranceMs,
      quietSpanMs: plan.quietSpanMs,
      intervals: plan.levels.map(({ interval }) => interval),
      indicators: plan.indicators.map(({ text }) => text),
      committedOffset: nextOffset,
      restoreOffset,
      watermarks: this.watermarks(),
      gaps,
    }
    return { partition, instruments }
  }

  #take(trade: Trade, offset: number, isReplay: boolean): TradeOutcome {
    if (isFromFuture(trade.eventTime, trade, this.#plan)) return 'future'
    if (trade.status !== 'confirmed') return 'uncounted'
    if (!isCountable(trade)) return 'invalid'
    const { sequence, eventTime } = trade
    const known = this.#byVenue.get(trade.venue)?.get(trade.instrument)
    if (known === undefined) return this.#takeFirst(trade, offset)

    if (sequence !== null && known.seen.has(sequence)) return 'duplicate'
    const window = windowOf(known, eventTime)
    if (window === undefined) {
      const start = Math.floor(eventTime / lowestMs) * lowestMs
      if (start + lowestMs <= known.closedUntil) return 'late'
      this.#follow(known, trade, isReplay)
      this.#open(known, trade, start, offset)
      return 'accepted'
    }
    if (sequence === null && window.tradeIds?.has(trade.tradeId) === true) return 'duplicate'
    this.#follow(known, trade, isReplay)
    this.#add(window, trade)
    return 'accepted'
  }

  #takeFirst(trade: Trade, offset: number): TradeOutcome {
    const feed = this.#feed(trade.feedId)
    const start = Math.floor(trade.eventTime / lowestMs) * lowestMs
    if (start + lowestMs <= feed.closedUntil) return 'late'
    const { venue, instrument: name } = trade
    const instrument = new InstrumentProgress(this.#plan, instrumentIdOf(trade), feed, offset)
    this.#know(instrument, venue, name)
    this.#open(instrument, trade, start, offset)
    return 'accepted'
  }

  #open(instrument: InstrumentProgress, trade: Trade, start: number, offset: number): void {
    const window = new OpenWindow(instrument, start, start + lowestMs, trade, offset)
    instrument.openWindows.set(start, window)
    instrument.recent = window
    instrument.feed.addWindow(window)
    this.#openWindows += 1
    this.#add(window, trade)
  }

  #add(window: OpenWindow, trade: Trade): void {
    if (trade.sequence === null) this.#rememberedTradeIds += 1
    else window.instrument.seen.add(trade.sequence)
    window.add(trade)
  }

  /** An instrument belongs to the feed that its latest accepted trade came through. */
  #follow(instrument: InstrumentProgress, trade: Trade, isReplay: boolean): void {
    // Before a restore the change of feed was recorded: the state has the feed that followed.
    if (trade.feedId === instrument.feed.feedId || isReplay) return
    this.#move(instrument, trade.feedId)
  }

  #move(instrument: InstrumentProgress, feedId: string): void {
    const { closedUntil } = instrument
    instrument.feed.release(instrument)
    const lowest = instrument.levels[0]
    if (lowest !== undefined) lowest.closedUntil = closedUntil
    instrument.feed = this.#feed(feedId)
    // Until the new feed's next heartbeat its watermark says nothing about this instrument.
    instrument.joining = true
    instrument.feed.joining.add(instrument)
    for (const window of instrument.openWindows.values()) instrument.feed.addWindow(window)
    instrument.feed.enlist(instrument, instrument.nextParentEnd(this.#plan))
    this.#markChanged(instrument)
  }

  #applyHeartbeat(heartbeat: FeedHeartbeat, offset: number): AppliedEvent {
    if (isFromFuture(heartbeat.upTo, heartbeat, this.#plan)) return applied.future
    const feed = this.#feed(heartbeat.feedId)
    const upTo = Math.max(feed.upTo ?? 0, heartbeat.upTo)
    feed.upTo = upTo
    const target = Math.floor((upTo - this.#plan.graceMs) / lowestMs) * lowestMs
    const closing: Closing = {
      plan: this.#plan,
      candles: [],
      changed: (instrument) => this.#markChanged(instrument),
      windowClosed: (window) => {
        this.#openWindows -= 1
        this.#rememberedTradeIds -= window.tradeIds?.size ?? 0
      },
    }
    const unfinished = closeWindows(closing, feed, target)
    this.#unfinishedAt = unfinished ? offset : undefined
    if (!unfinished) this.#settle(feed)
    return { outcome: 'accepted', candles: closing.candles, unfinished }
  }

  /** Every window up to the watermark is closed: what only they needed goes. */
  #settle(feed: FeedProgress): void {
    for (const instrument of feed.joining) {
      instrument.joining = false
      this.#markChanged(instrument)
    }
    feed.joining.clear()
    const longestMs = this.#plan.levels.at(-1)?.lengthMs ?? lowestMs
    const openFrom = Math.floor(feed.closedUntil / longestMs) * longestMs
    for (const gap of feed.gaps.values()) {
      if (gap.toTime <= openFrom) feed.gaps.delete(gap.gapId)
    }
  }

  #applyGap(gap: SequenceGap): void {
    const { gapId, feedId, instrumentId, fromTime, toTime, state } = gap
    const known = { gapId, feedId, instrumentId, fromTime, toTime, state }
    this.#feed(feedId).gaps.set(gapId, known)
  }

  #applyStatus(status: InstrumentStatus, offset: number): void {
    const instrument = this.#instruments.get(status.instrumentId) ?? this.#announce(status, offset)
    if (status.feedId !== instrument.feed.feedId) this.#move(instrument, status.feedId)
    const { expiredAt } = instrument
    if (status.status === 'expired') {
      instrument.expiredAt = Math.max(expiredAt ?? 0, status.eventTime)
    } else if (expiredAt !== null && status.eventTime > expiredAt) {
      instrument.expiredAt = null
    }
    this.#markChanged(instrument)
  }

  #announce({ instrumentId, feedId }: InstrumentStatus, offset: number): InstrumentProgress {
    const feed = this.#feed(feedId)
    const instrument = new InstrumentProgress(this.#plan, instrumentId, feed, offset)
    this.#knowById(instrument)
    return instrument
  }

  #feed(feedId: string): FeedProgress {
    let feed = this.#feeds.get(feedId)
    if (feed === undefined) {
      feed = new FeedProgress(feedId)
      this.#feeds.set(feedId, feed)
    }
    return feed
  }

  /** A venue's name has no colon, an instrument's may have. */
  #knowById(instrument: InstrumentProgress): void {
    const { instrumentId } = instrument
    const colon = instrumentId.indexOf(':')
    this.#know(instrument, instrumentId.slice(0, colon), instrumentId.slice(colon + 1))
  }

  #know(instrument: InstrumentProgress, venue: string, name: string): void {
    this.#instruments.set(instrument.instrumentId, instrument)
    let ofVenue = this.#byVenue.get(venue)
    if (ofVenue === undefined) {
      ofVenue = new Map()
      this.#byVenue.set(venue, ofVenue)
    }
    ofVenue.set(name, instrument)
  }

  #markChanged(instrument: InstrumentProgress): void {
    if (instrument.changed) return
    instrument.changed = true
    this.#changed.push(instrument)
  }

  #restorePartition(partition: PartitionState): void {
    requireSameSettings(this.#plan, partition)
    for (const { feedId, upTo, closedUntil } of partition.watermarks) {
      const feed = this.#feed(feedId)
      feed.upTo = upTo
      feed.closedUntil = closedUntil
    }
    for (const gap of partition.gaps) this.#feed(gap.feedId).gaps.set(gap.gapId, gap)
  }

  #restoreInstrument(state: InstrumentState): void {
    const feed = this.#feed(state.feedId)
    const instrument = InstrumentProgress.restore(this.#plan, state, feed)
    this.#knowById(instrument)
    if (instrument.joining) feed.joining.add(instrument)
    feed.enlist(instrument, instrument.nextParentEnd(this.#plan))
  }
}

function windowOf(instrument: InstrumentProgress, eventTime: number): OpenWindow | undefined {
  const { recent } = instrument
  if (recent !== undefined && eventTime >= recent.start && eventTime < recent.end) return recent
  const window = instrument.openWindows.get(Math.floor(eventTime / lowestMs) * lowestMs)
  if (window !== undefined) instrument.recent = window
  return window
}
