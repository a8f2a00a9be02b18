/** What can be told to stop reading. */
export interface Readable {
  pause(): void
  resume(): void
}

/** Reading goes on while nobody holds the gate: one backpressure for all connections of a feed. */
export class ReadingGate {
  readonly #holders = new Set<string>()
  readonly #readables = new Set<Readable>()

  get held(): boolean {
    return this.#holders.size > 0
  }

  isHeldBy(holder: string): boolean {
    return this.#holders.has(holder)
  }

  /** @param readable a connection that is read, until what is returned is disposed. */
  attach(readable: Readable): Disposable {
    this.#readables.add(readable)
    if (this.held) readable.pause()
    return { [Symbol.dispose]: () => this.#readables.delete(readable) }
  }

  hold(holder: string): void {
    const heldBefore = this.held
    this.#holders.add(holder)
    if (heldBefore) return
    for (const readable of this.#readables) readable.pause()
  }

  release(holder: string): void {
    if (!this.#holders.delete(holder) || this.held) return
    for (const readable of this.#readables) readable.resume()
  }
}
