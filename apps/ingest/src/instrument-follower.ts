import { setTimeout as delay } from 'node:timers/promises'

import { backoffMs } from './backoff.ts'
import { catalogChanges } from './catalog-changes.ts'
import type { CatalogReader } from './catalog-reader.ts'
import type { IngestEvents } from './events.ts'
import { statusRecord } from './instrument-announcement.ts'
import type { InstrumentFacts } from './instrument-catalog.ts'
import type { Delivery } from './delivery.ts'
import { matchesPattern } from './instrument-selection.ts'
import type { InstrumentSelection } from './instrument-selection.ts'
import type { LiveInstruments } from './live-instruments.ts'
import type { MarketLog } from './market-log.ts'

export interface InstrumentFollowerOptions {
  readonly feedId: string
  readonly selection: InstrumentSelection
  readonly reader: CatalogReader
  /** Instruments with a cursor: those of an earlier run. */
  readonly known: Iterable<string>
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
  /** Time between two readings of the catalog. */
  readonly everyMs: number
}

/** Between readings that did not succeed. */
const retryBounds = { firstMs: 1_000, maxMs: 60_000 }

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
    const remembered = [...this.#options.known].filter((each) => matchesPattern(selection, each))
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
    const { deliveries, events, facts, live } = this.#options
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
    for (const instrument of expired) {
      const delivery = deliveries.get(instrument)
      if (delivery === undefined) continue
      deliveries.delete(instrument)
      this.#tell(delivery, 'expired')
      delivery.listed = false
      // A contract that has expired does not come back; a pair that is halted may.
      if (facts.get(instrument)?.kind === 'spot') this.#former.set(instrument, delivery)
      facts.delete(instrument)
    }
    events.instrumentsExpired(expired)
  }

  #tell({ instrument, instrumentId }: Delivery, status: 'listed' | 'expired'): void {
    const { feedId, log, venueTime } = this.#options
    const facts = this.#options.facts.get(instrument)
    const told = { instrumentId, feedId, status, facts, eventTime: venueTime() }
    log.status(statusRecord(told, Date.now()))
  }
}
