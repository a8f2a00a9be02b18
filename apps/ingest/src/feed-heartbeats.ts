import type { Readiness } from '@tickertape/service-runtime'

import type { IngestConfig } from './config.ts'
import type { Delivery } from './delivery.ts'
import type { IngestEvents } from './events.ts'
import type { FeedGaps } from './feed-gaps.ts'
import type { FeedRecovery } from './feed-recovery.ts'
import type { MarketLog } from './market-log.ts'
import { nextUpTo } from './up-to.ts'

export interface FeedHeartbeatsOptions {
  readonly config: Pick<IngestConfig, 'feedId' | 'replicaId' | 'heartbeat' | 'futureToleranceMs'>
  readonly log: MarketLog
  readonly events: Pick<IngestEvents, 'heartbeat' | 'rejected'>
  readonly readiness: Readiness
  readonly recovery: Pick<FeedRecovery, 'incomplete' | 'passedOver'>
  readonly gaps: Pick<FeedGaps, 'openFrom'>
  readonly deliveries: ReadonlyMap<string, Delivery>
  /** Up to when a process before this one vouched for the feed; undefined if there was none. */
  readonly vouchedBefore: number | undefined
}

export interface Absence {
  /** Since when nothing was heard; undefined if the feed never was. */
  readonly fromTime: number | undefined
  /** Whether a process before this one may have told of a gap that begins there. */
  readonly isKnown: boolean
}

/** What a feed says of how far it has delivered everything, over all of its connections. */
export class FeedHeartbeats {
  readonly #options: FeedHeartbeatsOptions
  /** The last heartbeat's. */
  #upTo: number | undefined
  /** Where an absence before the first heartbeat begins. */
  #since: number | undefined
  #isKnown = true
  /** Subscribed by this process, now or before. */
  readonly #subscribed = new WeakSet<Delivery>()
  /** The same, and nothing is known yet that they begin with: the venue may have refused them. */
  readonly #unbegun = new WeakSet<Delivery>()
  #vouchesFrom: number | undefined
  /** Heartbeats that do not set it: the venue was asked for the first one's time before. */
  #toPass = 1
  #venueTime: number | undefined
  #toldAt = performance.now()

  constructor(options: FeedHeartbeatsOptions) {
    this.#options = options
    this.#since = options.vouchedBefore
  }

  /** As it was told last, milliseconds since the epoch; before that by our clock. */
  get venueTime(): number {
    return this.#venueTime ?? Date.now()
  }

  set venueTime(time: number) {
    this.#venueTime = time
  }

  /** What a restart has missed begins here: nothing before it is open. */
  get vouchedUpTo(): number | undefined {
    const upTo = this.#upTo ?? this.#since
    const { openFrom } = this.#options.gaps
    return openFrom === undefined || upTo === undefined ? upTo : Math.min(openFrom, upTo)
  }

  /**
   * Since when heartbeats vouch, without an absence that nobody covers, for an instrument and all others of
   * which this says the same; undefined while they do not.
   */
  vouchesFrom(delivery: Delivery): number | undefined {
    return this.#subscribed.has(delivery) ? this.#vouchesFrom : undefined
  }

  /** What an absence would be that ends with the next subscription. */
  absence(): Absence {
    return { fromTime: this.#upTo ?? this.#since, isKnown: this.#isKnown }
  }

  /** An absence stands in the log: those before this process are told with it. */
  declared(): void {
    this.#isKnown = false
  }

  /** There was an absence: heartbeats do not vouch for what was before those that follow. */
  lapse(): void {
    this.#vouchesFrom = undefined
    this.#toPass = 1
  }

  /** The venue delivers these instruments, or has refused them: of new ones nothing before is vouched for. */
  subscribed(deliveries: readonly Delivery[]): void {
    for (const each of deliveries) if (each.cursor === undefined) this.#unbegun.add(each)
    this.#vouchFor(deliveries.filter(({ cursor }) => cursor !== undefined))
  }

  /** The instrument is no longer read: what is vouched for from now on is without it. */
  unsubscribed(delivery: Delivery): void {
    this.#unbegun.delete(delivery)
    if (this.#subscribed.delete(delivery)) this.lapse()
  }

  /** A connection is subscribed, and was not yet when the venue told this time. */
  begin(venueTime: number): void {
    this.#since ??= venueTime
  }

  /**
   * Called behind everything that the venue had sent when it told this time, but for what is missing
   * from instruments.
   */
  tell(venueTime: number): void {
    const { config, deliveries, events, log, recovery } = this.#options
    this.#venueTime = venueTime
    const now = performance.now()
    // While Kafka takes nothing nobody makes progress, nor would a heartbeat arrive.
    const elapsedMs = log.full ? 0 : Math.min(now - this.#toldAt, 2 * config.heartbeat.everyMs)
    this.#toldAt = now
    if (log.full) return
    const receivedAt = Date.now()
    const incomplete = recovery.incomplete(deliveries.values(), elapsedMs)
    this.#tellPassedOver()
    this.#vouchFor(this.#begun())
    if (this.#isFuture(venueTime, receivedAt)) return
    const { marginMs } = config.heartbeat
    const upTo = nextUpTo({ previous: this.#upTo, venueTime, marginMs, incomplete })
    if (upTo === undefined) return
    const { feedId, replicaId } = config
    log.heartbeat({ feedId, replicaId, upTo, receivedAt })
    this.#upTo = upTo
    if (this.#toPass > 0) this.#toPass -= 1
    else this.#vouchesFrom ??= venueTime
    // What a process before this one left open begins before that.
    this.#isKnown = false
    events.heartbeat(upTo, venueTime)
  }

  #vouchFor(deliveries: readonly Delivery[]): void {
    const added = deliveries.filter((each) => !this.#subscribed.has(each))
    for (const each of added) {
      this.#unbegun.delete(each)
      this.#subscribed.add(each)
    }
    if (added.length > 0) this.lapse()
  }

  /** Those that have begun since they were subscribed. */
  #begun(): readonly Delivery[] {
    const { deliveries } = this.#options
    return [...deliveries.values()].filter((each) => {
      return this.#unbegun.has(each) && each.cursor !== undefined
    })
  }

  #isFuture(venueTime: number, receivedAt: number): boolean {
    const { config, events, log } = this.#options
    const aheadMs = venueTime - config.heartbeat.marginMs - receivedAt
    if (aheadMs <= config.futureToleranceMs) return false
    const message = `the venue's time is ${aheadMs} ms ahead of ours: no heartbeat (tolerance ${config.futureToleranceMs} ms); check both clocks`
    events.rejected('future', message)
    log.reject({ reason: 'future', message, original: String(venueTime), instrumentId: null })
    return true
  }

  #tellPassedOver(): void {
    const { readiness, recovery } = this.#options
    const { passedOver } = recovery
    if (passedOver.length === 0) readiness.ready('missing')
    else {
      const reason = `the venue's history does not give what is missing of ${passedOver.join(', ')}: their candles have quality gap`
      readiness.degrade('missing', reason)
    }
  }
}
