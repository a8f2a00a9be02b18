import { setTimeout as delay } from 'node:timers/promises'

import { noneOffered } from './delivery.ts'
import type { Delivery } from './delivery.ts'
import type { IngestEvents } from './events.ts'
import type { FeedGaps } from './feed-gaps.ts'
import type { HoleFiller } from './hole-filler.ts'

/**
 * What the stream itself brings within this time, in ms, was out of order: neither is the venue's history
 * asked for it, nor a gap announced.
 */
const reorderingMs = 100

export interface FeedRecoveryOptions {
  readonly filler: Pick<HoleFiller, 'catchUp' | 'fill'>
  readonly gaps: FeedGaps
  readonly events: Pick<
    IngestEvents,
    'gapOpened' | 'gaveUp' | 'holeFound' | 'passedOver' | 'traded'
  >
  /** Of the first trade that an instrument ever has; where there are sequences. */
  readonly firstSequence: number
  /** Trades of one instrument that may wait behind a hole; the next one sets the hole aside. */
  readonly buffer: number
  /** How long heartbeats wait for an instrument that makes no progress, in ms. */
  readonly patienceMs: number
  /** The venue's time, as far as it is known. */
  readonly venueTime: () => number
  /** Ends everything that is fetched. */
  readonly signal: AbortSignal
}

/** What is being fetched for one instrument. */
interface Task {
  /** Catch-ups asked for, and how many of those are done. */
  wanted: number
  done: number
  isRunning: boolean
  /** Heartbeats wait for it no longer. */
  isPassed: boolean
  /** That they wait no longer is about to be told. */
  isPassing: boolean
  /** Whatever the history does not tell: another replica has delivered it. */
  isCovered: boolean
  /** Without progress since `upTo` was seen first. */
  waitedMs: number
  upTo: number | undefined
  /** The venue's history does not tell what came behind this: the next trade does. */
  unprovenFrom: number | undefined
}

/**
 * Fetches what the streams of a feed missed, instrument by instrument and whether or not there is a
 * connection, while everything else goes on. Heartbeats wait for it, as long as it makes progress.
 */
export class FeedRecovery {
  readonly #options: FeedRecoveryOptions
  readonly #tasks = new Map<Delivery, Task>()
  readonly #failure = Promise.withResolvers<never>()
  #idle = Promise.withResolvers<void>()
  #isHeld = false

  constructor(options: FeedRecoveryOptions) {
    this.#options = options
    this.#failure.promise.catch(() => undefined)
  }

  /** Rejects with what makes it impossible to go on. */
  get failed(): Promise<never> {
    return this.#failure.promise
  }

  /** Instruments that heartbeats wait for. */
  get behind(): number {
    return this.#tasks
      .values()
      .filter((task) => isBehind(task) && !task.isPassed)
      .toArray().length
  }

  /** Instruments that heartbeats wait for no longer, though something of them is missing. */
  get passedOver(): readonly string[] {
    return [...this.#tasks].filter(([, { isPassed }]) => isPassed).map(([each]) => each.instrument)
  }

  /**
   * Something was missed that no sequence may show: the history is asked up to its present.
   *
   * @param isCovered another replica has delivered it.
   */
  catchUp(delivery: Delivery, isCovered = false): void {
    const task = this.#taskOf(delivery)
    task.isCovered = isCovered && (task.isCovered || !isBehind(task))
    task.wanted += 1
    this.#start(delivery, task)
  }

  /** Nothing more is begun from now on: it is about to be told what was missed. */
  hold(): void {
    this.#isHeld = true
  }

  /** Begins what was noticed and asked for meanwhile. */
  release(): void {
    this.#isHeld = false
    for (const [delivery, task] of this.#tasks) {
      if (isBehind(task) || !delivery.isWhole) this.#start(delivery, task)
    }
  }

  /** A catch-up will be asked for: heartbeats wait for it from now on. */
  expect(delivery: Delivery): void {
    this.#taskOf(delivery).wanted += 1
  }

  /** Begins what is expected and that nobody asked for: a connection ended in between. */
  resume(): void {
    for (const [delivery, task] of this.#tasks) if (isBehind(task)) this.#start(delivery, task)
  }

  /** To be called behind trades of the stream: fetches what they show to be missing. */
  notice(delivery: Delivery): void {
    if (delivery.kind === 'unsequenced') return
    const task = this.#tasks.get(delivery)
    if (task?.unprovenFrom !== undefined) this.#prove(delivery, task)
    if (delivery.waitingCount === 0) return
    this.#start(delivery, this.#taskOf(delivery))
    const isTooMuch = delivery.waitingCount >= this.#options.buffer
    if (isTooMuch || task?.isPassed === true) this.#setAside(delivery)
  }

  /** The instruments are no longer read. */
  forget(instruments: readonly string[]): void {
    for (const delivery of this.#tasks.keys()) {
      if (instruments.includes(delivery.instrument)) this.#tasks.delete(delivery)
    }
    this.#tellIdle()
  }

  /** Resolves when nothing is being caught up with that heartbeats wait for. */
  async caughtUp(): Promise<void> {
    while (this.behind > 0) await this.#idle.promise
  }

  /**
   * For each instrument that misses something up to when it does not.
   *
   * @param elapsedMs since the last call: an instrument whose time stands still for longer than the
   *   patience is left out from then on, behind an announced gap.
   */
  incomplete(deliveries: Iterable<Delivery>, elapsedMs: number): (number | undefined)[] {
    const times: (number | undefined)[] = []
    for (const delivery of deliveries) {
      const task = this.#tasks.get(delivery)
      if (delivery.isWhole && (task === undefined || !isBehind(task))) {
        if (task !== undefined && !task.isRunning && task.unprovenFrom === undefined) {
          this.#tasks.delete(delivery)
        }
        continue
      }
      const upTo = delivery.deliveredUpTo
      if (!this.#isPassed(delivery, this.#taskOf(delivery), elapsedMs)) times.push(upTo)
    }
    return times
  }

  #taskOf(delivery: Delivery): Task {
    const known = this.#tasks.get(delivery)
    if (known !== undefined) return known
    const task: Task = {
      wanted: 0,
      done: 0,
      isRunning: false,
      isPassed: false,
      isPassing: false,
      isCovered: false,
      waitedMs: 0,
      upTo: delivery.deliveredUpTo,
      unprovenFrom: undefined,
    }
    this.#tasks.set(delivery, task)
    return task
  }

  #start(delivery: Delivery, task: Task): void {
    if (task.isRunning || this.#isHeld) return
    task.isRunning = true
    this.#run(delivery, task).catch((error: unknown) => {
      if (!this.#options.signal.aborted) this.#failure.reject(error)
    })
  }

  async #run(delivery: Delivery, task: Task): Promise<void> {
    const { signal } = this.#options
    while (this.#tasks.get(delivery) === task && (isBehind(task) || !delivery.isWhole)) {
      if (isBehind(task)) await this.#catchUp(delivery, task)
      else if (this.#isHeld) break
      else await this.#fill(delivery)
      signal.throwIfAborted()
      if (!isBehind(task) && delivery.isWhole) task.isPassed = false
    }
    // At once behind the condition: whoever finds something more starts anew.
    task.isRunning = false
    this.#tellIdle()
  }

  async #catchUp(delivery: Delivery, task: Task): Promise<void> {
    const { events, filler, gaps, signal } = this.#options
    const { wanted } = task
    const told = await filler.catchUp(delivery, signal)
    if (told.outcome === 'lost' && (gaps.concerns(delivery) || !task.isCovered)) {
      const { fromTime, toTime } = told
      for (const gap of gaps.lose({ fromTime, toTime }, delivery)) events.gaveUp(gap)
    }
    // Something was missed while the history was asked: it may have been too early to tell.
    if (task.wanted !== wanted) return
    task.done = wanted
    task.unprovenFrom = told.outcome === 'unproven' ? (delivery.position ?? -1) : undefined
    if (told.outcome === 'whole') gaps.close(delivery, 'backfilled', undefined)
    this.#tellIdle()
  }

  async #fill(delivery: Delivery): Promise<void> {
    const { events, filler, signal, venueTime } = this.#options
    await delay(reorderingMs, undefined, { signal })
    if (delivery.kind === 'unsequenced' || this.#isHeld) return
    const { missing } = delivery
    if (missing === undefined) return
    events.holeFound(delivery.instrument, missing.hole)
    const gap = delivery.announceHole(venueTime())
    if (gap !== undefined) events.gapOpened(gap)
    await filler.fill(delivery, signal)
  }

  /** A trade that goes on in sequence proves that nothing was between it and those before the cut. */
  #prove(delivery: Delivery, task: Task): void {
    const { position } = delivery
    if (!delivery.isWhole || position === undefined) return
    if (position <= (task.unprovenFrom ?? Infinity)) return
    task.unprovenFrom = undefined
    this.#options.gaps.close(delivery, 'backfilled', undefined)
  }

  #isPassed(delivery: Delivery, task: Task, elapsedMs: number): boolean {
    const upTo = delivery.deliveredUpTo
    if (task.isPassed) return true
    task.waitedMs = task.upTo === upTo ? task.waitedMs + elapsedMs : 0
    task.upTo = upTo
    if (task.waitedMs <= this.#options.patienceMs || task.isPassing) return false
    if (isBehind(task) && !task.isCovered && !this.#options.gaps.concerns(delivery)) {
      this.#declare(delivery, task).catch((error: unknown) => {
        if (!this.#options.signal.aborted) this.#failure.reject(error)
      })
      return false
    }
    this.#pass(delivery, task)
    return true
  }

  /** Heartbeats wait until it is told, and as long as it takes. */
  async #declare(delivery: Delivery, task: Task): Promise<void> {
    const { events, gaps, signal, venueTime } = this.#options
    const toTime = venueTime()
    const fromTime = Math.min(delivery.deliveredUpTo ?? toTime - 1, toTime - 1)
    const isStill = (): boolean => this.#tasks.get(delivery) === task && isBehind(task)
    task.isPassing = true
    const told = await gaps.declareOf({ fromTime, toTime }, [delivery], signal, isStill)
    task.isPassing = false
    if (told.length === 0) return
    for (const gap of told) events.gapOpened(gap)
    this.#pass(delivery, task)
  }

  #pass(delivery: Delivery, task: Task): void {
    const { events } = this.#options
    task.isPassed = true
    this.#setAside(delivery)
    events.passedOver(delivery.instrument, task.waitedMs)
    this.#tellIdle()
  }

  #setAside(delivery: Delivery): void {
    if (delivery.kind === 'unsequenced') return
    const { events, firstSequence, venueTime } = this.#options
    const counts = noneOffered()
    if (delivery.position === undefined && delivery.waitingCount > 0)
      delivery.beginAt(firstSequence)
    const gap = delivery.setAside(venueTime(), counts)
    events.traded('stream', counts.delivered)
    if (gap !== undefined) events.gapOpened(gap)
  }

  #tellIdle(): void {
    this.#idle.resolve()
    this.#idle = Promise.withResolvers()
  }
}

function isBehind({ done, wanted }: Task): boolean {
  return done < wanted
}
