export interface CreditPoolOptions {
  readonly capacity: number
  readonly refillPerSecond: number
  /** Milliseconds that grow steadily. */
  readonly realTime: () => number
}

/** A request limit: each request costs credits, which come back with time. */
export class CreditPool {
  readonly #options: CreditPoolOptions
  #credits: number
  #filledAt: number

  constructor(options: CreditPoolOptions) {
    this.#options = options
    this.#credits = options.capacity
    this.#filledAt = options.realTime()
  }

  /** @returns whether there were enough credits; if not, none are taken */
  take(cost: number): boolean {
    const { capacity, realTime, refillPerSecond } = this.#options
    const now = realTime()
    const refill = ((now - this.#filledAt) / 1000) * refillPerSecond
    this.#credits = Math.min(capacity, this.#credits + refill)
    this.#filledAt = now
    if (this.#credits < cost) return false
    this.#credits -= cost
    return true
  }
}
