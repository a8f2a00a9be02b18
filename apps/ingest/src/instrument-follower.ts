import { setTimeout as delay } from 'node:timers/promises'

import { backoffMs } from './backoff.ts'
import { catalogChanges } from './catalog-changes.ts'
import type { CatalogReader } from './catalog-reader.ts'
import type { IngestEvents } from './events.ts'
import { statusRecord } from './instrument-announcement.ts'
import type { InstrumentFacts } from './instrument-catalog.ts'
import type { Delivery } from './delivery.ts'
import type { CursorWriter } from './feed-cursors.ts'
import { matchesPattern } from './instrument-selection.ts'
import type { InstrumentSelection } from './instrument-selection.ts'
import type { LiveInstruments } from './live-instruments.ts'
import type { MarketLog } from './market-log.ts'
import { untilAborted } from './until-aborted.ts'

export interface InstrumentFollowerOptions {
  readonly feedId: string
  readonly selection: InstrumentSelection
  readonly reader: CatalogReader
  /** Instruments with a cursor: those of an earlier run. */
  readonly known: readonly string[]
  readonly deliveries: Map<string, Delivery>
  readonly facts: Map<string, InstrumentFacts>
  readonly live: LiveInstruments
  readonly log: Pick<MarketLog, 'status'>
  readonly events: Pick<
    IngestEvents,
    'instrumentsExpired' | 'instrumentsFollowed' | 'instrumentsListed' | 'instrumentsUnknown'
  >
  /** The venue's time, as far as it is known. */
  readonly venueTime: () => number
  readonly deliveryOf: (instrument: string) => Delivery
  /** Finds where instruments begin and makes it known to the next process. */
  readonly prepare: (deliveries: readonly Delivery[], signal: AbortSignal) => Promise<void>
  /** Ends everything that is under way of an instrument, and tells what of it stays lost. */
  readonly leave: (delivery: Delivery) => void
  readonly cursors: Pick<CursorWriter, 'forget' | 'write'>
  /** Time between two readings of the catalog. */
  readonly everyMs: number
}

/** Between readings that did not succeed. */
const retryBounds = { firstMs: 1_000, maxMs: 60_000 }

/** An instrument of which nothing but its last trade is known may be a pair that is halted for so long, in ms. */
const longestHaltMs = 7 * 86_400_000

/**
 * Keeps the instruments of a feed as the venue's catalog has them: listings that a pattern takes come in
 * while the feed goes on, and what has left the catalog is told as expired behind its last trade.
 */
export class InstrumentFollower {
  readonly #options: InstrumentFollowerOptions
  /** Read once and no longer listed: they go on where they stopped if they come back. */
  readonly #former = new Map<string, Delivery>()
  readonly #everListed: Set<string>
  #catalog: readonly InstrumentFacts[] | undefined

  constructor(options: InstrumentFollowerOptions) {
    this.#options = options
    this.#everListed = new Set(options.known)
  }

  /**
   * Puts together what is read from the beginning. Without the catalog these are the names and what an
   * earlier run knew; it is waited for only if there are none.
   */
  async begin(signal: AbortSignal): Promise<void> {
    const { deliveries, deliveryOf, events, facts, reader, selection } = this.#options
    const remembered = this.#options.known.filter((each) => matchesPattern(selection, each))
    const names = new Set([...selection.names, ...remembered])
    for (let tries = 1; this.#catalog === undefined; tries += 1) {
      this.#catalog = await reader.read(signal)
      if (this.#catalog !== undefined || names.size > 0) break
      // What the patterns take is all that there is to read: `venue` in readiness waits for it.
      await delay(backoffMs(tries, retryBounds, Math.random()), undefined, { signal })
    }
    for (const each of this.#catalog ?? []) {
      if (matchesPattern(selection, each.instrument)) names.add(each.instrument)
      if (!names.has(each.instrument)) continue
      facts.set(each.instrument, each)
      this.#everListed.add(each.instrument)
    }
    for (const name of names) deliveries.set(name, deliveryOf(name))
    events.instrumentsFollowed(deliveries.size, this.#catalog !== undefined)
  }

  /** Follows the catalog until the signal. */
  async follow(signal: AbortSignal): Promise<never> {
    let failures = 0
    for (;;) {
      if (this.#catalog === undefined) failures += 1
      else {
        await this.#apply(this.#catalog, signal)
        failures = 0
      }
      const waitMs =
        failures === 0
          ? this.#options.everyMs
          : Math.min(this.#options.everyMs, backoffMs(failures, retryBounds, Math.random()))
      await delay(waitMs, undefined, { signal })
      this.#catalog = await this.#options.reader.read(signal)
    }
  }

  async #apply(catalog: readonly InstrumentFacts[], signal: AbortSignal): Promise<void> {
    const { deliveries, facts, reader, selection } = this.#options
    const view = { selection, followed: deliveries.keys(), facts }
    const { listed, described, vanished } = catalogChanges(view, catalog)
    for (const each of described) this.#describe(each)
    await this.#list(listed, signal)
    await this.#expire(await reader.stillMissing(vanished, signal), signal)
  }

  #describe(described: InstrumentFacts): void {
    const { deliveries, facts } = this.#options
    facts.set(described.instrument, described)
    this.#everListed.add(described.instrument)
    const delivery = deliveries.get(described.instrument)
    // What is not announced yet will be with these facts.
    if (delivery?.listed === true) this.#tell(delivery, 'listed')
  }

  async #list(listed: readonly InstrumentFacts[], signal: AbortSignal): Promise<void> {
    const { deliveries, deliveryOf, events, facts, live, prepare } = this.#options
    if (listed.length === 0) return
    const added = listed.map((each) => {
      facts.set(each.instrument, each)
      this.#everListed.add(each.instrument)
      return this.#former.get(each.instrument) ?? deliveryOf(each.instrument)
    })
    await prepare(added, signal)
    for (const delivery of added) {
      this.#former.delete(delivery.instrument)
      deliveries.set(delivery.instrument, delivery)
    }
    live.add(added)
    events.instrumentsListed(added.map(({ instrument }) => instrument))
  }

  async #expire(vanished: readonly string[], signal: AbortSignal): Promise<void> {
    const { cursors, deliveries, events, facts, leave, live } = this.#options
    // A name that was never seen may be a typo: it says so in readiness, and the venue decides.
    events.instrumentsUnknown(
      [...deliveries.keys()].filter((each) => {
        return this.#catalog !== undefined && !this.#everListed.has(each)
      }),
    )
    const expired = vanished.filter((each) => this.#everListed.has(each))
    if (expired.length === 0) return
    // Nothing of theirs may come behind the record that ends them.
    await live.settled(signal)
    live.remove(expired)
    const halted: Delivery[] = []
    const gone: string[] = []
    for (const instrument of expired) {
      const delivery = deliveries.get(instrument)
      if (delivery === undefined) continue
      deliveries.delete(instrument)
      leave(delivery)
      this.#tell(delivery, 'expired')
      delivery.listed = false
      if (this.#mayComeBack(delivery)) {
        this.#former.set(instrument, delivery)
        halted.push(delivery)
      } else gone.push(instrument)
      facts.delete(instrument)
    }
    events.instrumentsExpired(expired)
    // Their cursors would else stand for ever as they were written last, with gaps that are closed meanwhile.
    await untilAborted(cursors.write(halted), signal)
    await untilAborted(cursors.forget(gone), signal)
  }

  /** A contract that has expired does not come back; a pair that is halted may. */
  #mayComeBack({ cursor, instrument }: Delivery): boolean {
    const { facts, venueTime } = this.#options
    const kind = facts.get(instrument)?.kind
    // It has left the catalog before this process read it: what it was is not known.
    if (kind === undefined) return venueTime() - (cursor?.eventTime ?? 0) < longestHaltMs
    return kind === 'spot'
  }

  #tell({ instrument, instrumentId }: Delivery, status: 'listed' | 'expired'): void {
    const { feedId, log, venueTime } = this.#options
    const facts = this.#options.facts.get(instrument)
    const told = { instrumentId, feedId, status, facts, eventTime: venueTime() }
    log.status(statusRecord(told, Date.now()))
  }
}
