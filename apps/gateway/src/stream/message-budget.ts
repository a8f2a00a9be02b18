/** How many messages of the steady rate a client may send at once, after having been quiet. */
const burst = 10

/** Messages that a client may send: so many a second, a burst of them after a pause. Times in ms. */
export class MessageBudget {
  readonly #perMs: number
  readonly #most: number
  #left: number
  #at: number

  constructor(perSecond: number, now: number) {
    this.#perMs = perSecond / 1_000
    this.#most = perSecond * burst
    this.#left = this.#most
    this.#at = now
  }

  /** @returns whether one more is within the budget. */
  take(now: number): boolean {
    this.#left = Math.min(this.#most, this.#left + (now - this.#at) * this.#perMs)
    this.#at = now
    if (this.#left < 1) return false
    this.#left -= 1
    return true
  }
}
