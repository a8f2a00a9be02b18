import type { FeedCursor, SequenceGap } from '@tickertape/market-model'

import type { MappedTrade } from './mapped-trade.ts'
import type { MarketLog } from './market-log.ts'
import { SequenceTracker } from './sequence-tracker.ts'
import type { Hole } from './sequence-tracker.ts'

export interface InstrumentDeliveryOptions {
  readonly feedId: string
  readonly replicaId: string
  readonly instrument: string
  readonly instrumentId: string
  readonly log: MarketLog
  readonly cursor: FeedCursor | undefined
}

/** Where an instrument's delivery begins. */
type Beginning =
  /** Not known yet. */
  | 'unknown'
  /** Behind a sequence, from the cursor or the venue's history. */
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

export interface GapBounds {
  /** The last heartbeat's; undefined before the first one. */
  readonly upTo: number | undefined
  /** The venue's time, for a stretch without an end. */
  readonly until: number
}

type Sequenced = MappedTrade & { readonly sequence: number }

/** One instrument's way into the log: in the order of its sequence, without holes, each trade once. */
export class InstrumentDelivery {
  readonly instrument: string
  readonly instrumentId: string
  readonly #options: InstrumentDeliveryOptions
  readonly #tracker: SequenceTracker<Sequenced>
  #beginning: Beginning
  /** Of the last trade delivered, or of the cursor. */
  #eventTime: number | undefined
  #takesNextAsFirst = false
  /** `listed` is announced. */
  listed = false

  constructor(options: InstrumentDeliveryOptions) {
    const { cursor } = options
    this.#options = options
    this.instrument = options.instrument
    this.instrumentId = options.instrumentId
    this.#tracker = new SequenceTracker(cursor?.sequence ?? undefined)
    // A cursor without a time has 0.
    this.#eventTime = cursor?.eventTime || undefined
    this.#beginning =
      cursor === undefined ? 'unknown' : cursor.sequence === null ? 'at the first trade' : 'known'
  }

  get beginning(): Beginning {
    return this.#beginning
  }

  /** Last sequence delivered without a hole. */
  get position(): number | undefined {
    return this.#tracker.position
  }

  get hole(): Hole | undefined {
    return this.#tracker.hole
  }

  get waitingCount(): number {
    return this.#tracker.waitingCount
  }

  /**
   * Up to when nothing is missing, whatever is missing behind it; the last trade's own millisecond may
   * have more. undefined if no time is known.
   */
  get deliveredUpTo(): number | undefined {
    return this.#eventTime === undefined ? undefined : this.#eventTime - 1
  }

  /**
   * The hint for the next start; undefined while there is nothing to say. Without a sequence it says
   * that the venue had no trade yet.
   */
  get cursor(): FeedCursor | undefined {
    const { feedId, replicaId, instrument } = this.#options
    if (this.position === undefined && this.#beginning !== 'at the first trade') return undefined
    return {
      feedId,
      replicaId,
      instrument,
      sequence: this.position ?? null,
      eventTime: this.#eventTime ?? 0,
      tradeIds: [],
    }
  }

  /** @param newest the venue's last trade before we subscribe; undefined if there is none. */
  beginBehind(newest: MappedTrade | undefined): void {
    if (newest === undefined) {
      this.#beginning = 'at the first trade'
    } else if (typeof newest.sequence !== 'number') {
      this.beginWithStream()
    } else {
      this.#beginning = 'known'
      this.#tracker.begin(newest.sequence)
      if (newest.kind === 'trade') this.#eventTime = newest.trade.eventTime
    }
  }

  beginWithStream(): void {
    this.#beginning = 'with the stream'
    this.#takesNextAsFirst = true
  }

  /** From now on trades wait until the history has told what comes before them. */
  awaitHistory(): void {
    this.#takesNextAsFirst = false
  }

  /** The history holds no trade at all: the stream's next one is the first. */
  takeNextAsFirst(counts: OfferedCounts): void {
    this.#takesNextAsFirst = true
    this.beginWithWaiting(counts)
  }

  /** What waits is all that there is; nothing happens if nothing waits or the beginning is known. */
  beginWithWaiting(counts: OfferedCounts): void {
    this.#write(this.#tracker.beginWithWaiting(), counts)
    if (this.position !== undefined) this.#beginning = 'known'
  }

  /** Takes a trade from the stream or from the history, in whatever order they bring it. */
  offer(mapped: MappedTrade, counts: OfferedCounts): void {
    if (typeof mapped.sequence !== 'number') {
      this.#reject(mapped, counts)
      return
    }
    // Narrowed above: TypeScript does not carry it over the union.
    const sequenced = mapped as Sequenced
    const offered = this.#tracker.offer(sequenced.sequence, sequenced)
    if (offered.outcome === 'accepted') this.#write(offered.ready, counts)
    else if (offered.outcome === 'duplicate') counts.duplicates += 1
    else if (this.#takesNextAsFirst) this.beginWithWaiting(counts)
  }

  /**
   * Announces the first hole as unrecoverable and goes on behind it. Without a hole the end of what is
   * missing is not known, nor whether anything is; the stream goes on behind the last trade then.
   *
   * It begins no earlier than `upTo`, though what is missing may: readers have closed windows as
   * complete by what the heartbeats said.
   */
  giveUp({ upTo, until }: GapBounds, counts: OfferedCounts): SequenceGap | undefined {
    const { feedId, replicaId, instrumentId, log } = this.#options
    const { hole, lowestWaiting } = this.#tracker
    const from = hole?.from ?? (this.position === undefined ? null : this.position + 1)
    if (from === null) return undefined
    const nextTime = lowestWaiting?.kind === 'trade' ? lowestWaiting.trade.eventTime + 1 : until
    const fromTime = Math.max(this.#eventTime ?? nextTime, upTo ?? -Infinity)
    const gap: SequenceGap = {
      gapId: `${feedId}|${instrumentId}|${from}-${hole?.to ?? ''}`,
      feedId,
      replicaId,
      instrumentId,
      fromTime,
      toTime: Math.max(nextTime, fromTime + 1),
      fromSequence: from,
      toSequence: hole?.to ?? null,
      state: 'unrecoverable',
    }
    log.gap(instrumentId, gap)
    this.#write(this.#tracker.giveUp(), counts)
    return gap
  }

  #write(ready: readonly Sequenced[], counts: OfferedCounts): void {
    for (const mapped of ready) {
      if (mapped.kind === 'rejected') {
        this.#reject(mapped, counts)
      } else {
        this.#options.log.trade(mapped.trade)
        this.#eventTime = mapped.trade.eventTime
        counts.delivered += 1
      }
    }
  }

  #reject(mapped: MappedTrade, counts: OfferedCounts): void {
    if (mapped.kind !== 'rejected') return
    this.#options.log.reject({ ...mapped, instrumentId: this.instrumentId })
    counts.rejected += 1
  }
}
