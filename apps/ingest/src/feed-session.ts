import { setTimeout as delay } from 'node:timers/promises'

import { AppendProbe } from './append-probe.ts'
import { backoffMs } from './backoff.ts'
import { DeliveredInstruments } from './delivered-instruments.ts'
import { noneOffered } from './delivery.ts'
import type { Delivery } from './delivery.ts'
import { tellAbsence } from './feed-absence.ts'
import type { FeedState } from './feed-state.ts'
import { ConnectionLost } from './feed.ts'
import type { FeedConnection } from './feed.ts'
import { statusRecord } from './instrument-announcement.ts'
import type { ChangeableSession } from './live-instruments.ts'
import type { MappedTrade, RejectedTrade } from './mapped-trade.ts'
import { SilenceWatch } from './silence-watch.ts'

/** Between two attempts to subscribe to what the venue refused, in ms. */
const resubscribeMs = 60_000

/** How much of a connection's longest life passes before the next one begins, at least and at most. */
const plannedEnd = { from: 0.9, to: 0.95 }

/**
 * One connection, from its opening to its end: subscribe, have what was missed fetched, deliver; and all
 * along tell with heartbeats how far. It may begin beside another one, whose end is near: then the two
 * deliver together until nothing can be missing between them, and nothing has to be fetched.
 */
export class FeedSession implements ChangeableSession {
  readonly delivered = new DeliveredInstruments()
  readonly #state: FeedState
  readonly #predecessor: FeedSession | undefined
  readonly #stop: AbortSignal
  readonly #signal: AbortSignal
  readonly #ended = new AbortController()
  readonly #silence = new SilenceWatch()
  readonly #appends: AppendProbe
  readonly #endsSoon = Promise.withResolvers<string>()
  readonly #delivers = Promise.withResolvers<void>()
  #refused: readonly string[] = []
  /** Set while it is subscribed. */
  #connection: FeedConnection | undefined
  #isHandedOver = false
  /** What waits for the next answer of the venue to the question for its time. */
  readonly #settling: PromiseWithResolvers<boolean>[] = []

  /**
   * @param stop ends the session.
   * @param predecessor delivers, and has told of the absence before it; its end is near.
   */
  constructor(state: FeedState, stop: AbortSignal, predecessor?: FeedSession) {
    this.#state = state
    this.#stop = stop
    this.#predecessor = predecessor
    this.#appends = new AppendProbe(state.log, state.events)
    this.#signal = AbortSignal.any([stop, this.#ended.signal])
  }

  /** Resolves with the reason when another connection should take over from this one. */
  get endsSoon(): Promise<string> {
    return this.#endsSoon.promise
  }

  /** Resolves when this connection delivers, and no other one is needed. */
  get delivers(): Promise<void> {
    return this.#delivers.promise
  }

  /** @returns why the connection ended. */
  async run(): Promise<string> {
    const { config, events, gate, live, mapping, recovery, rest } = this.#state
    const { connectTimeoutMs, idleTimeoutMs, maxMs } = config.connection
    const { venue, webSocketUrl: url } = config
    using resources = new DisposableStack()
    events.connecting(url)
    try {
      const connection = resources.use(
        await venue.connect({
          url,
          connectTimeoutMs,
          idleTimeoutMs,
          rest,
          mapping,
          signal: this.#signal,
          handlers: {
            trades: (trades, frame) => this.#onTrades(trades, frame),
            malformed: (frame, message) => this.#onMalformed(frame, message),
            venueError: events.venueComplained,
            closing: (message) => this.#endsSoon.resolve(message),
          },
        }),
      )
      events.connected(url)
      resources.use(gate.attach(connection))
      if (maxMs !== undefined) this.#planEnd(maxMs, resources)
      // Whatever waits (for an answer, for the next heartbeat) ends with the connection.
      connection.closed.then(
        (reason) => this.#ended.abort(new ConnectionLost(reason)),
        (error: unknown) => this.#ended.abort(error),
      )
      await this.#deliver(connection)
      return 'another connection has taken over'
    } catch (error) {
      // Timers and requests wrap the reason of the signal that ended them.
      const reason: unknown = this.#signal.aborted ? this.#signal.reason : error
      if (reason instanceof ConnectionLost) return reason.message
      if (this.#stop.aborted) return 'stopped'
      throw reason
    } finally {
      live.detach(this)
      if (this.#predecessor === undefined) recovery.release()
      this.#connection = undefined
      for (const { resolve } of this.#settling) resolve(false)
      this.#ended.abort(new ConnectionLost('ended'))
    }
  }

  /**
   * Delivers what the venue had sent before this call, and ends.
   *
   * @returns false if the connection ended before that: something may be missing then.
   */
  async handOver(): Promise<boolean> {
    const connection = this.#connection
    if (connection === undefined) return false
    try {
      await connection.venueTime()
    } catch (error) {
      if (error instanceof ConnectionLost) return false
      throw error
    }
    this.#isHandedOver = true
    return true
  }

  add(deliveries: readonly Delivery[]): void {
    if (deliveries.length === 0) return
    for (const delivery of deliveries) this.#state.recovery.expect(delivery)
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
    this.delivered.remove(instruments)
    this.#state.recovery.forget(instruments)
    this.#tellRefused(this.#refused.filter((each) => !instruments.includes(each)))
  }

  async #deliver(connection: FeedConnection): Promise<void> {
    const { config, deliveries, events, heartbeats, live, readiness, recovery } = this.#state
    const startedAt = performance.now()
    const subscribed = [...deliveries.values()]
    const venueTime = await this.#venueTimeOf(connection)
    const absence = heartbeats.absence()
    for (const each of subscribed) this.#announceKnown(each, venueTime)
    // What the first trades show to be missing is a part of what is told below.
    if (this.#predecessor === undefined) recovery.hold()
    const before = this.#predecessor?.delivered
    const refused = await this.delivered.subscribe(connection, subscribed, before)
    this.#connection = connection
    heartbeats.begin(venueTime)
    heartbeats.subscribed(subscribed)
    readiness.ready('venue')
    if (before !== undefined && (await this.#predecessor?.handOver()) === true) {
      for (const each of this.delivered.follow(before, subscribed)) recovery.catchUp(each)
      recovery.resume()
      events.tookOver(performance.now() - startedAt)
      this.#state.failures = 0
    } else {
      const toTime = await this.#venueTimeOf(connection)
      const covered = await tellAbsence(this.#state, subscribed, absence, toTime, this.#signal)
      this.#recover(subscribed, covered, startedAt)
    }
    this.#tellRefused(refused)
    await this.#welcome(subscribed, venueTime)
    this.#delivers.resolve()
    live.attach(this)
    this.add([...deliveries.values()].filter((each) => !subscribed.includes(each)))
    await this.#beat(connection, config.heartbeat.everyMs)
  }

  /** Has what was missed fetched. */
  #recover(deliveries: readonly Delivery[], covered: ReadonlySet<string>, startedAt: number): void {
    const { events, readiness, recovery } = this.#state
    readiness.waitFor('catch-up', `fetching what was missed of ${deliveries.length} instruments`)
    // Refused instruments may have ended while we were away: what they left behind is fetched too.
    for (const each of deliveries) recovery.catchUp(each, covered.has(each.instrument))
    recovery.release()
    void recovery.caughtUp().then(() => {
      if (this.#signal.aborted) return
      readiness.ready('catch-up')
      this.#state.failures = 0
      events.delivering(deliveries.length, performance.now() - startedAt)
    })
  }

  async #takeIn(deliveries: readonly Delivery[]): Promise<void> {
    const connection = this.#connection
    const { heartbeats, recovery } = this.#state
    if (connection === undefined) return
    const names = deliveries.map(({ instrument }) => instrument)
    for (const each of deliveries) this.#announceKnown(each, heartbeats.venueTime)
    const refused = await this.delivered.subscribe(connection, deliveries)
    const others = this.#refused.filter((each) => !names.includes(each))
    this.#tellRefused([...others, ...refused])
    heartbeats.subscribed(deliveries)
    await this.#welcome(deliveries, heartbeats.venueTime)
    for (const each of deliveries) recovery.catchUp(each)
  }

  async #venueTimeOf(connection: FeedConnection): Promise<number> {
    for (let failures = 1; ; failures += 1) {
      const time = await connection.venueTime()
      if (time !== undefined) {
        this.#state.heartbeats.venueTime = time
        return time
      }
      const waitMs = backoffMs(failures, { firstMs: 250, maxMs: 5_000 }, Math.random())
      await delay(waitMs, undefined, { signal: this.#signal })
    }
  }

  #planEnd(maxMs: number, resources: DisposableStack): void {
    const share = plannedEnd.from + Math.random() * (plannedEnd.to - plannedEnd.from)
    const end = (): void => this.#endsSoon.resolve(`the venue cuts it after ${maxMs} ms`)
    resources.adopt(setTimeout(end, maxMs * share), clearTimeout)
  }

  #tellRefused(refused: readonly string[]): void {
    const { config, events, readiness } = this.#state
    const isNew = refused.some((each) => !this.#refused.includes(each))
    this.#refused = refused
    if (refused.length === 0) {
      readiness.ready('instruments')
      return
    }
    const reason = `${config.venue.name} does not deliver ${refused.join(', ')}; all others go on`
    readiness.degrade('instruments', reason)
    if (isNew) events.instrumentsRefused(refused)
  }

  /** Announces what the venue delivers from now on, and that it does not deliver what it did once. */
  async #welcome(deliveries: readonly Delivery[], venueTime: number): Promise<void> {
    const { gaps, recovery } = this.#state
    const isRefused = ({ instrument }: Delivery): boolean => this.#refused.includes(instrument)
    for (const delivery of deliveries) {
      if (isRefused(delivery)) continue
      if (gaps.lighten(delivery, venueTime)) recovery.catchUp(delivery)
      this.#announce(delivery, venueTime)
    }
    const dark = deliveries.filter((each) => isRefused(each) && each.cursor !== undefined)
    await gaps.darken(dark, venueTime, this.#signal)
  }

  /** What an instrument is has to stand in the log before its first trade, which is counted by it. */
  #announceKnown(delivery: Delivery, venueTime: number): void {
    if (this.#state.facts.has(delivery.instrument)) this.#announce(delivery, venueTime)
  }

  #announce(delivery: Delivery, venueTime: number): void {
    if (delivery.listed) return
    const { config, facts, log } = this.#state
    const { instrument, instrumentId } = delivery
    const { feedId } = config
    const announced = { instrumentId, feedId, facts: facts.get(instrument), eventTime: venueTime }
    log.status(statusRecord({ ...announced, status: 'listed' }, Date.now()))
    delivery.listed = true
  }

  #onTrades(trades: readonly MappedTrade[], frame: string): void {
    const { deliveries, events, log, recovery } = this.#state
    const counts = noneOffered()
    const foreign = new Set<string>()
    let last: Delivery | undefined
    events.frame()
    this.#silence.heard(performance.now())
    for (const mapped of trades) {
      const instrument = mapped.kind === 'trade' ? mapped.trade.instrument : mapped.instrument
      const delivery = deliveries.get(instrument ?? '')
      if (mapped.kind === 'rejected') {
        events.rejected(mapped.reason, mapped.message)
        if (isUnplaceable(mapped)) this.#onUnplaceable()
      }
      if (delivery === undefined) {
        if (mapped.kind === 'rejected') log.reject({ ...mapped, instrumentId: null })
        else foreign.add(mapped.trade.instrument)
        continue
      }
      delivery.offer(mapped, counts)
      // Only behind the frame's last trade of it: a frame may hold its trades in any order.
      if (last !== delivery && last !== undefined) recovery.notice(last)
      last = delivery
    }
    if (last !== undefined) recovery.notice(last)
    if (foreign.size > 0) this.#rejectForeign([...foreign], frame)
    events.traded('stream', counts.delivered)
    events.duplicated('stream', counts.duplicates)
    const newest = trades.at(-1)
    if (newest?.kind === 'trade') events.frameArrived(newest.trade)
    if (newest?.kind === 'trade' && counts.delivered > 0) {
      this.#appends.frameWritten(newest.trade.receivedAt)
    }
    if (log.full) this.#stopReading()
  }

  /** The last step: what the venue gives up to send meanwhile is a gap, and fetched. */
  #stopReading(): void {
    const { events, gate, log, readiness } = this.#state
    if (gate.isHeldBy('kafka')) return
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

  #rejectForeign(instruments: readonly string[], original: string): void {
    const { events, log } = this.#state
    const message = `trades of ${instruments.join(', ')}, which this feed does not read`
    events.rejected('unknown_instrument', message)
    log.reject({ reason: 'unknown_instrument', message, original, instrumentId: null })
  }

  #onMalformed(frame: string, message: string): void {
    const { events, log } = this.#state
    events.rejected('malformed', message)
    log.reject({ reason: 'malformed', message, original: frame, instrumentId: null })
    this.#onUnplaceable()
  }

  /** A trade that nobody missed may be lost: heartbeats wait until every history was asked for it. */
  #onUnplaceable(): void {
    const { deliveries, recovery } = this.#state
    for (const delivery of deliveries.values()) recovery.catchUp(delivery)
  }

  async #beat(connection: FeedConnection, everyMs: number): Promise<void> {
    const { heartbeats, recovery } = this.#state
    let askedAt = performance.now()
    // A short absence is over before the first heartbeat: its windows close once, with all of their trades.
    await Promise.race([recovery.caughtUp(), delay(everyMs, undefined, { signal: this.#signal })])
    while (!this.#isHandedOver) {
      const startedAt = performance.now()
      const asked = this.#settling.length
      const venueTime = await connection.venueTime()
      if (venueTime !== undefined && !this.#isHandedOver) heartbeats.tell(venueTime)
      // What was missed before the connection comes from the history.
      const settled = recovery.behind > 0 ? [] : this.#settling.splice(0, asked)
      for (const { resolve } of settled) resolve(true)
      this.#listen()
      if (this.#refused.length > 0 && performance.now() - askedAt >= resubscribeMs) {
        askedAt = performance.now()
        this.add(this.#refused.flatMap((each) => this.#state.deliveries.get(each) ?? []))
      }
      const restMs = Math.max(0, everyMs - (performance.now() - startedAt))
      await delay(restMs, undefined, { signal: this.#signal })
    }
  }

  #listen(): void {
    if (this.#state.gate.held) {
      this.#silence.restart()
      return
    }
    const verdict = this.#silence.verdict(performance.now())
    if (verdict !== undefined) throw new ConnectionLost(verdict)
  }
}

/** Whether a row shows no hole in any sequence of ours, though it may be a trade of it. */
function isUnplaceable({ instrument, sequence }: RejectedTrade): boolean {
  return instrument === undefined || sequence === undefined
}
