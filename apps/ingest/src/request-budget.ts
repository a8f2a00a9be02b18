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
    const { refillPerSecond } = this.#options
    this.#refill(nowMs)
    this.#left -= weight
    return this.#left >= 0 ? 0 : (-this.#left / refillPerSecond) * 1000
  }

  /** Takes all that was saved up: what is asked for next has to come back first. */
  drain(nowMs: number): void {
    this.#refill(nowMs)
    this.#left = Math.min(this.#left, 0)
  }

  #refill(nowMs: number): void {
    const { capacity, refillPerSecond } = this.#options
    const refill = ((nowMs - this.#filledAt) / 1000) * refillPerSecond
    this.#left = Math.min(capacity, this.#left + refill)
    this.#filledAt = nowMs
  }
}
