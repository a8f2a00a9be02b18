export interface RequestBudgetOptions {
  readonly capacity: number
  readonly refillPerSecond: number
}

/** A venue's request limit, kept on our side: requests cost weights, which come back with time. */
export class RequestBudget {
  readonly #options: RequestBudgetOptions
  /** May be negative: those who wait have taken their weight already. */
  #left: number
  #filledAt: number

  /** @param nowMs milliseconds that grow steadily, here and below. */
  constructor(options: RequestBudgetOptions, nowMs: number) {
    this.#options = options
    this.#left = options.capacity
    this.#filledAt = nowMs
  }

  /** Takes a request's weight. @returns how long the request has to wait, in ms. */
  take(weight: number, nowMs: number): number {
    const { capacity, refillPerSecond } = this.#options
    const refill = ((nowMs - this.#filledAt) / 1000) * refillPerSecond
    this.#left = Math.min(capacity, this.#left + refill) - weight
    this.#filledAt = nowMs
    return this.#left >= 0 ? 0 : (-this.#left / refillPerSecond) * 1000
  }
}
