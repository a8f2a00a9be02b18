/** More than a venue mixes up; beyond that something is missing. */
const maxAhead = 1_000

/** Whether all of a connection's messages have come, which the venue numbers without holes. */
export class MessageNumbers {
  #next: number | undefined
  readonly #ahead = new Set<number>()

  /** Whether nothing is missing below the highest number. */
  get complete(): boolean {
    return this.#ahead.size === 0
  }

  came(number: number): void {
    this.#next ??= number
    if (number < this.#next || this.#ahead.size >= maxAhead) return
    this.#ahead.add(number)
    while (this.#ahead.delete(this.#next)) this.#next += 1
  }

  /** Something came that has a number nobody can read: counting begins anew. */
  restart(): void {
    this.#next = undefined
    this.#ahead.clear()
  }
}
