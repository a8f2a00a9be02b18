/** `max`: only `advanceTo` moves the clock, as fast as the subscribers' sockets take the frames. */
export type ClockSpeed = number | 'max'

export interface VenueClockOptions {
  /** Milliseconds since the epoch at which the clock begins. */
  readonly start: number
  readonly speed: ClockSpeed
  /** A held clock stands still until `release`. */
  readonly held: boolean
  /** Where the speed changes to `speedAfterEnd`: the time of the last trade. */
  readonly end?: number | undefined
  readonly speedAfterEnd: number
  /** Milliseconds that grow steadily; not related to the epoch. */
  readonly realTime: () => number
}

/**
 * The venue's clock, in whole milliseconds since the epoch; it never goes back.
 *
 * It is anchored at a point of real time and runs from there at its speed. After the last trade it
 * goes on, because readers close their last windows by it.
 */
export class VenueClock {
  readonly #options: VenueClockOptions
  #anchorVenue: number
  #anchorReal: number
  #speed: ClockSpeed
  #held: boolean

  constructor(options: VenueClockOptions) {
    this.#options = options
    this.#anchorVenue = options.start
    this.#anchorReal = options.realTime()
    this.#speed = options.speed
    this.#held = options.held
    this.#passEnd()
  }

  get speed(): ClockSpeed {
    return this.#speed
  }

  get held(): boolean {
    return this.#held
  }

  /** Whether the clock moves by `advanceTo` alone. */
  get driven(): boolean {
    return !this.#held && this.#speed === 'max'
  }

  now(): number {
    if (this.#held || this.#speed === 'max') return this.#anchorVenue
    const { end, realTime, speedAfterEnd } = this.#options
    const elapsed = Math.max(0, realTime() - this.#anchorReal)
    const now = this.#anchorVenue + elapsed * this.#speed
    if (end === undefined || this.#anchorVenue >= end || now < end) return Math.floor(now)
    const afterEnd = elapsed - (end - this.#anchorVenue) / this.#speed
    this.#anchorVenue = end
    this.#anchorReal = realTime() - afterEnd
    this.#speed = speedAfterEnd
    return Math.floor(end + afterEnd * speedAfterEnd)
  }

  release(): void {
    if (!this.#held) return
    this.#held = false
    this.#anchorReal = this.#options.realTime()
  }

  /** Takes back real time that has passed: the clock stood still for that long. */
  standStill(realMs: number): void {
    this.#anchorReal += realMs
  }

  /** Moves a driven clock; it stops at the end and runs on by itself from there. */
  advanceTo(time: number): void {
    if (!this.driven) return
    this.#anchorVenue = Math.max(this.#anchorVenue, Math.min(time, this.#options.end ?? Infinity))
    this.#passEnd()
  }

  #passEnd(): void {
    const { end, realTime, speedAfterEnd } = this.#options
    if (end === undefined || this.#anchorVenue < end || this.#speed !== 'max') return
    this.#speed = speedAfterEnd
    this.#anchorReal = realTime()
  }
}
