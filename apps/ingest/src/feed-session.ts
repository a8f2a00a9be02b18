import { setTimeout as delay } from 'node:timers/promises'

import type { Readiness } from '@tickertape/service-runtime'

import { backoffMs } from './backoff.ts'
import type { IngestConfig } from './config.ts'
import type { IngestEvents } from './events.ts'
import { ConnectionLost } from './feed.ts'
import type { FeedConnection } from './feed.ts'
import type { HoleFiller } from './hole-filler.ts'
import { statusRecord } from './instrument-announcement.ts'
import type { InstrumentFacts } from './instrument-catalog.ts'
import type { InstrumentDelivery } from './instrument-delivery.ts'
import type { ChangeableSession, LiveInstruments } from './live-instruments.ts'
import type { MappedTrade, MappingContext, RejectedTrade } from './mapped-trade.ts'
import type { MarketLog } from './market-log.ts'
import type { ReadingGate } from './reading-gate.ts'
import type { RestClient } from './rest-client.ts'
import { nextUpTo } from './up-to.ts'

/** What outlives a connection. */
export interface FeedState {
  readonly config: IngestConfig
  readonly events: IngestEvents
  readonly readiness: Readiness
  readonly log: MarketLog
  readonly rest: RestClient
  readonly mapping: () => MappingContext
  readonly filler: HoleFiller
  readonly gate: ReadingGate
  /** By the venue's own symbol. */
  readonly deliveries: ReadonlyMap<string, InstrumentDelivery>
  /** What the catalog tells, by the venue's own symbol. */
  readonly facts: ReadonlyMap<string, InstrumentFacts>
  /** Told of the session while it can take instruments in and let them go. */
  readonly live: LiveInstruments
  /** As it was told last, milliseconds since the epoch. */
  venueTime: number | undefined
  /** The last heartbeat's. */
  upTo: number | undefined
  /** Failed connections in a row. */
  failures: number
}

/**
 * One connection, from its opening to its end: subscribe, catch up with what was missed, then deliver;
 * and all along tell with heartbeats how far.
 */
export class FeedSession implements ChangeableSession {
  readonly #state: FeedState
  readonly #stop: AbortSignal
  readonly #signal: AbortSignal
  readonly #ended = new AbortController()
  readonly #filling = new Set<InstrumentDelivery>()
  /** What the history may still hold something of that the stream did not bring. */
  readonly #catchingUp: Set<InstrumentDelivery>
  /** Set while it is subscribed. */
  #connection: FeedConnection | undefined
  /** What waits for the next answer of the venue to the question for its time. */
  #settling: PromiseWithResolvers<boolean>[] = []
  #subscribed = false
  /** Frames and rows of which it cannot be told whose trades they held. */
  #unplaceable = 0

  /** @param stop ends the session. */
  constructor(state: FeedState, stop: AbortSignal) {
    this.#state = state
    this.#stop = stop
    this.#signal = AbortSignal.any([stop, this.#ended.signal])
    this.#catchingUp = new Set(state.deliveries.values())
  }

  /** @returns why the connection ended. */
  async run(): Promise<string> {
    const { config, events, gate } = this.#state
    const { venue, webSocketUrl: url } = config
    events.connecting(url)
    try {
      using connection = await venue.connect({
        url,
        connectTimeoutMs: config.connection.connectTimeoutMs,
        idleTimeoutMs: config.connection.idleTimeoutMs,
        rest: this.#state.rest,
        mapping: this.#state.mapping,
        signal: this.#signal,
        handlers: {
          trades: (trades) => this.#onTrades(trades),
          malformed: (frame, message) => this.#onMalformed(frame, message),
          venueError: events.venueComplained,
        },
      })
      events.connected(url)
      gate.attach(connection)
      // Whatever waits (for the history, for the next heartbeat) ends with the connection.
      connection.closed.then(
        (reason) => this.#ended.abort(new ConnectionLost(reason)),
        (error: unknown) => this.#ended.abort(error),
      )
      await this.#deliver(connection)
      return 'ended'
    } catch (error) {
      // Timers and requests wrap the reason of the signal that ended them.
      const reason: unknown = this.#signal.aborted ? this.#signal.reason : error
      if (reason instanceof ConnectionLost) return reason.message
      if (this.#stop.aborted) return 'stopped'
      throw reason
    } finally {
      this.#state.live.detach(this)
      this.#connection = undefined
      for (const { resolve } of this.#settling) resolve(false)
      gate.detach()
      // What fills a hole ends here; the next connection has to be read to begin its catch-up.
      for (const instrument of this.#state.deliveries.keys()) gate.release(instrument)
      this.#ended.abort(new ConnectionLost('ended'))
    }
  }

  async #deliver(connection: FeedConnection): Promise<void> {
    const { config, deliveries, events, readiness } = this.#state
    const startedAt = performance.now()
    const venueTime = await this.#firstVenueTime(connection)
    const subscribed = new Set(deliveries.values())
    const names = [...subscribed].map(({ instrument }) => instrument)
    const { refused } = await connection.subscribe(names)
    this.#subscribed = true
    this.#connection = connection
    this.#tellRefused(refused)
    const accepted = [...subscribed].filter(({ instrument }) => !refused.includes(instrument))
    for (const delivery of accepted) this.#announce(delivery, venueTime)
    readiness.ready('venue')
    readiness.waitFor('catch-up', `fetching what was missed of ${accepted.length} instruments`)
    // Refused instruments may have ended while we were away: what they left behind is fetched too.
    const caughtUp = Promise.all([...subscribed].map((each) => this.#catchUp(each)))
    this.#state.live.attach(this)
    this.add([...deliveries.values()].filter((each) => !subscribed.has(each)))
    await this.#beatUntil(caughtUp, venueTime, config.heartbeat.everyMs)
    readiness.ready('catch-up')
    this.#state.failures = 0
    events.delivering(accepted.length, performance.now() - startedAt)
    await this.#beat(connection, config.heartbeat.everyMs)
  }

  add(deliveries: readonly InstrumentDelivery[]): void {
    if (deliveries.length === 0) return
    for (const delivery of deliveries) this.#catchingUp.add(delivery)
    this.#takeIn(deliveries).catch((error: unknown) => this.#ended.abort(error))
  }

  settled(): Promise<boolean> {
    const settling = Promise.withResolvers<boolean>()
    if (this.#connection === undefined) settling.resolve(false)
    else this.#settling.push(settling)
    return settling.promise
  }

  remove(instruments: readonly string[]): void {
    this.#connection?.unsubscribe?.(instruments)
    for (const each of instruments) this.#state.gate.release(each)
    for (const each of this.#catchingUp) {
      if (instruments.includes(each.instrument)) this.#catchingUp.delete(each)
    }
  }

  async #takeIn(deliveries: readonly InstrumentDelivery[]): Promise<void> {
    const connection = this.#connection
    if (connection === undefined) return
    const names = deliveries.map(({ instrument }) => instrument)
    const { refused } = await connection.subscribe(names)
    if (refused.length > 0) this.#tellRefused(refused)
    const venueTime = this.#state.venueTime ?? Date.now()
    for (const delivery of deliveries) {
      if (!refused.includes(delivery.instrument)) this.#announce(delivery, venueTime)
    }
    await Promise.all(deliveries.map((each) => this.#catchUp(each)))
  }

  async #catchUp(delivery: InstrumentDelivery): Promise<void> {
    this.#catchingUp.add(delivery)
    let before: number
    do {
      before = this.#unplaceable
      await this.#state.filler.catchUp(delivery, this.#signal)
    } while (before !== this.#unplaceable)
    this.#catchingUp.delete(delivery)
    this.#fillHole(delivery)
  }

  async #firstVenueTime(connection: FeedConnection): Promise<number> {
    for (let failures = 1; ; failures += 1) {
      const time = await connection.venueTime()
      if (time !== undefined) {
        this.#state.venueTime = time
        return time
      }
      const waitMs = backoffMs(failures, { firstMs: 250, maxMs: 5_000 }, Math.random())
      await delay(waitMs, undefined, { signal: this.#signal })
    }
  }

  #tellRefused(refused: readonly string[]): void {
    const { config, events, readiness } = this.#state
    if (refused.length === 0) {
      readiness.ready('instruments')
      return
    }
    events.instrumentsRefused(refused)
    readiness.waitFor('instruments', `${config.venue.name} does not deliver ${refused.join(', ')}`)
  }

  #announce(delivery: InstrumentDelivery, venueTime: number): void {
    if (delivery.listed) return
    const { config, log } = this.#state
    const { instrument, instrumentId } = delivery
    const facts = this.#state.facts.get(instrument)
    const { feedId } = config
    const listed = { instrumentId, feedId, status: 'listed', facts, eventTime: venueTime } as const
    log.status(statusRecord(listed, Date.now()))
    delivery.listed = true
  }

  #onTrades(trades: readonly MappedTrade[]): void {
    const { deliveries, events, gate, log, readiness } = this.#state
    const counts = { delivered: 0, duplicates: 0, rejected: 0 }
    let last: InstrumentDelivery | undefined
    events.frame()
    for (const mapped of trades) {
      const instrument = mapped.kind === 'trade' ? mapped.trade.instrument : mapped.instrument
      const delivery = deliveries.get(instrument ?? '')
      if (mapped.kind === 'rejected') {
        events.rejected(mapped.reason, mapped.message)
        if (isUnplaceable(mapped)) this.#onUnplaceable()
      }
      if (delivery === undefined) {
        this.#rejectForeign(mapped)
        continue
      }
      delivery.offer(mapped, counts)
      // Only behind the frame's last trade of it: a frame may hold its trades in any order.
      if (last !== delivery && last !== undefined) this.#fillHole(last)
      last = delivery
    }
    if (last !== undefined) this.#fillHole(last)
    events.traded('stream', counts.delivered)
    events.duplicated('stream', counts.duplicates)
    if (!log.full || gate.isHeldBy('kafka')) return
    gate.hold('kafka')
    events.readingStopped('kafka')
    readiness.waitFor('kafka', `${log.inFlight} records wait for Kafka`)
    // A broken producer ends the service by its own `failed`.
    log.whenRoom().then(
      () => {
        gate.release('kafka')
        readiness.ready('kafka')
        events.readingResumed('kafka')
      },
      () => undefined,
    )
  }

  #rejectForeign(mapped: MappedTrade): void {
    const { log } = this.#state
    if (mapped.kind === 'rejected') log.reject({ ...mapped, instrumentId: null })
    else
      this.#state.events.venueComplained(`a trade of ${mapped.trade.instrument} was not asked for`)
  }

  #onMalformed(frame: string, message: string): void {
    const { events, log } = this.#state
    events.rejected('malformed', message)
    log.reject({ reason: 'malformed', message, original: frame, instrumentId: null })
    this.#onUnplaceable()
  }

  /** A trade that nobody missed may be lost: heartbeats wait until every history was asked for it. */
  #onUnplaceable(): void {
    this.#unplaceable += 1
    for (const delivery of this.#state.deliveries.values()) {
      if (this.#catchingUp.has(delivery)) continue
      this.#catchUp(delivery).catch((error: unknown) => this.#ended.abort(error))
    }
  }

  /** Fetches what is missing, unless the catch-up does so anyway. */
  #fillHole(delivery: InstrumentDelivery): void {
    const { hole } = delivery
    this.#holdForHole(delivery)
    if (hole === undefined || this.#catchingUp.has(delivery) || this.#filling.has(delivery)) return
    const { events, filler } = this.#state
    events.holeFound(delivery.instrument, hole)
    this.#filling.add(delivery)
    filler
      .fill(delivery, this.#signal)
      .catch((error: unknown) => this.#ended.abort(error))
      .finally(() => this.#filling.delete(delivery))
  }

  #holdForHole(delivery: InstrumentDelivery): void {
    const { config, events, gate } = this.#state
    // Until then nothing fills the hole, and the answer to the subscription has to be read.
    if (!this.#subscribed) return
    if (delivery.waitingCount < config.holes.buffer || gate.isHeldBy(delivery.instrument)) return
    gate.hold(delivery.instrument)
    events.readingStopped('hole', delivery.instrument)
  }

  /**
   * Tells how far the catch-up has come, or its readers would have to hold every window of it open to
   * its end. Reading may be stopped until then, so the venue cannot be asked for its time.
   *
   * @param venueTime before the catch-up began: the history reaches this far.
   */
  async #beatUntil(caughtUp: Promise<unknown>, venueTime: number, everyMs: number): Promise<void> {
    let over = false
    const end = caughtUp.finally(() => (over = true))
    for (;;) {
      await Promise.race([end, delay(everyMs, undefined, { signal: this.#signal })])
      if (over) return
      this.#heartbeat(venueTime)
    }
  }

  async #beat(connection: FeedConnection, everyMs: number): Promise<void> {
    for (;;) {
      const startedAt = performance.now()
      const settling = this.#settling
      this.#settling = []
      try {
        const venueTime = await connection.venueTime()
        if (venueTime !== undefined) this.#heartbeat(venueTime)
        for (const { resolve } of settling) resolve(true)
      } finally {
        // A promise keeps its first answer.
        for (const { resolve } of settling) resolve(false)
      }
      const restMs = Math.max(0, everyMs - (performance.now() - startedAt))
      await delay(restMs, undefined, { signal: this.#signal })
    }
  }

  /**
   * Called behind everything that the venue had sent when it told this time, but for what is missing
   * from instruments with a hole or in catch-up.
   */
  #heartbeat(venueTime: number): void {
    const { config, deliveries, events, log } = this.#state
    this.#state.venueTime = venueTime
    const receivedAt = Date.now()
    const aheadMs = venueTime - config.heartbeat.marginMs - receivedAt
    if (aheadMs > config.futureToleranceMs) {
      const message = `the venue's time is ${aheadMs} ms ahead of ours: no heartbeat (tolerance ${config.futureToleranceMs} ms); check both clocks`
      events.rejected('future', message)
      log.reject({ reason: 'future', message, original: String(venueTime), instrumentId: null })
      return
    }
    const upTo = nextUpTo({
      previous: this.#state.upTo,
      venueTime,
      marginMs: config.heartbeat.marginMs,
      incomplete: [...deliveries.values()]
        .filter((each) => each.hole !== undefined || this.#catchingUp.has(each))
        .map(({ deliveredUpTo }) => deliveredUpTo),
    })
    if (upTo === undefined) return
    const { feedId, replicaId } = config
    log.heartbeat({ feedId, replicaId, upTo, receivedAt })
    this.#state.upTo = upTo
    events.heartbeat(upTo, venueTime)
  }
}

/** Whether a row shows no hole in any sequence of ours, though it may be a trade of it. */
function isUnplaceable({ instrument, sequence }: RejectedTrade): boolean {
  return instrument === undefined || sequence === undefined
}
