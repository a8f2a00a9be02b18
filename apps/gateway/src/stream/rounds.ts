/**
 * When clients are written to: as soon as there is something, and then in rounds with a least time between
 * them, so that one frame holds what came meanwhile. Nothing runs while there is nothing to write.
 */
export class Rounds implements Disposable {
  readonly #leastMs: number
  readonly #run: () => void
  #timer: NodeJS.Timeout | undefined
  #immediate: NodeJS.Immediate | undefined
  #endedAt = Number.NEGATIVE_INFINITY

  constructor(leastMs: number, run: () => void) {
    this.#leastMs = leastMs
    this.#run = run
  }

  /** Calls for a round. */
  call(): void {
    if (this.#timer !== undefined || this.#immediate !== undefined) return
    const wait = this.#endedAt + this.#leastMs - performance.now()
    const begin = (): void => {
      this.#timer = undefined
      this.#immediate = undefined
      try {
        this.#run()
      } finally {
        this.#endedAt = performance.now()
      }
    }
    if (wait > 0) this.#timer = setTimeout(begin, wait)
    else this.#immediate = setImmediate(begin)
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    clearImmediate(this.#immediate)
  }
}
