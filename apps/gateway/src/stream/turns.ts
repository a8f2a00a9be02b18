/** Something that has work of which it does a little at a time. */
export interface InTurns {
  /** Does a little. @returns whether there is more that can be done now. */
  step(): boolean
}

/**
 * Long work of many, a step in each turn of the event loop and each of them once before any is a second time:
 * however much somebody asks for, sockets are read and written between two steps.
 */
export class Turns implements Disposable {
  /** In the order of their turns. */
  readonly #waiting = new Set<InTurns>()
  #immediate: NodeJS.Immediate | undefined

  /** Has work for which it wants turns until there is none. */
  call(one: InTurns): void {
    this.#waiting.add(one)
    this.#immediate ??= setImmediate(() => this.#run())
  }

  #run(): void {
    this.#immediate = undefined
    const [next] = this.#waiting
    if (next === undefined) return
    this.#waiting.delete(next)
    try {
      if (next.step()) this.#waiting.add(next)
    } finally {
      if (this.#waiting.size > 0) this.#immediate ??= setImmediate(() => this.#run())
    }
  }

  [Symbol.dispose](): void {
    this.#waiting.clear()
    clearImmediate(this.#immediate)
  }
}
