/** What can be told to stop reading. */
export interface Readable {
  pause(): void
  resume(): void
}

/** Reading goes on while nobody holds the gate: backpressure from several sides on one socket. */
export class ReadingGate {
  readonly #holders = new Set<string>()
  #readable: Readable | undefined

  get held(): boolean {
    return this.#holders.size > 0
  }

  isHeldBy(holder: string): boolean {
    return this.#holders.has(holder)
  }

  /** @param readable the connection that is read now. */
  attach(readable: Readable): void {
    this.#readable = readable
    if (this.held) readable.pause()
  }

  detach(): void {
    this.#readable = undefined
  }

  hold(holder: string): void {
    const heldBefore = this.held
    this.#holders.add(holder)
    if (!heldBefore) this.#readable?.pause()
  }

  release(holder: string): void {
    if (this.#holders.delete(holder) && !this.held) this.#readable?.resume()
  }
}
