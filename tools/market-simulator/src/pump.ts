import type { Feed } from './feed.ts'
import { sliceStepMs } from './seeded-feed.ts'
import type { VenueClock } from './venue-clock.ts'

export interface PumpOptions {
  readonly clock: VenueClock
  readonly feeds: readonly Feed[]
  /** Whether the subscribers' sockets can take more; `none` where nobody is subscribed. */
  readonly subscribers: () => 'none' | 'ready' | 'congested'
  readonly realTime: () => number
  /** Venue time of the last trade; undefined where trading never ends. */
  readonly end: number | undefined
}

/** Between two looks at the clock, in real milliseconds: short against a slice of 100 ms. */
const tickMs = 10

/** A driven clock lets sockets and HTTP have their turn this often, in real milliseconds. */
const burstMs = 8

/** How soon a congested socket is looked at again, in real milliseconds. */
const congestedMs = 1

/** Moves the venue's clock and, with it, every feed. */
export class Pump {
  readonly #options: PumpOptions
  #timer: NodeJS.Timeout | undefined
  #immediate: NodeJS.Immediate | undefined
  #stopped = false
  #finished = false

  constructor(options: PumpOptions) {
    this.#options = options
  }

  /** Whether every trade there is has been published. */
  get finished(): boolean {
    return this.#finished
  }

  start(): void {
    this.#turn()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    clearImmediate(this.#immediate)
  }

  /**
   * Puts every trade up to the venue's present on the subscribed sockets.
   *
   * Called before the venue tells its time, so that whoever learns the time T has been sent all
   * trades of T and before.
   *
   * @returns the venue's time
   */
  flush(): number {
    const now = this.#options.clock.now()
    this.#advance(now, true)
    return now
  }

  #turn(): void {
    if (this.#stopped) return
    if (this.#options.clock.driven) this.#drive()
    else {
      this.#advance(this.#options.clock.now(), false)
      this.#again(tickMs)
    }
  }

  #drive(): void {
    const { clock, realTime, subscribers } = this.#options
    const deadline = realTime() + burstMs
    while (clock.driven && realTime() < deadline) {
      const state = subscribers()
      if (state === 'none') return this.#again(tickMs)
      if (state === 'congested') return this.#again(congestedMs)
      clock.advanceTo((Math.floor(clock.now() / sliceStepMs) + 1) * sliceStepMs)
      this.#advance(clock.now(), false)
    }
    this.#immediate = setImmediate(() => this.#turn())
  }

  #again(delayMs: number): void {
    this.#timer = setTimeout(() => this.#turn(), delayMs)
  }

  #advance(to: number, flush: boolean): void {
    const { clock, end, feeds, realTime } = this.#options
    const before = realTime()
    const ended = end !== undefined && to >= end
    // Nothing can be added to a slice after the last trade, so none is held back.
    for (const feed of feeds) feed.advance(to, flush || ended)
    this.#finished = ended
    // Were this time counted, a speed that the machine cannot keep up with would make each turn
    // longer than the one before, until nothing else got a turn.
    const spentMs = realTime() - before
    if (spentMs > tickMs) clock.standStill(spentMs)
  }
}
