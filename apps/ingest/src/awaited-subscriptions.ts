import { setTimeout as delay } from 'node:timers/promises'

/** Instruments whose subscription the venue acknowledges or refuses one by one, or passes over in silence. */
export class AwaitedSubscriptions {
  readonly #open: Set<string>
  readonly #refused = new Set<string>()
  readonly #settled = Promise.withResolvers<void>()

  constructor(instruments: readonly string[]) {
    this.#open = new Set(instruments)
    this.#settleIfDone()
  }

  /** What the venue has said nothing of. */
  get open(): readonly string[] {
    return [...this.#open]
  }

  get refused(): readonly string[] {
    return [...this.#refused]
  }

  accept(instrument: string): void {
    this.#open.delete(instrument)
    this.#settleIfDone()
  }

  /** @returns whether it was waited for. */
  refuse(instrument: string): boolean {
    if (!this.#open.delete(instrument)) return false
    this.#refused.add(instrument)
    this.#settleIfDone()
    return true
  }

  /** Settles when the venue has spoken of all, or has had its time. */
  async settled(patienceMs: number, signal: AbortSignal): Promise<void> {
    const stop = new AbortController()
    const patience = delay(patienceMs, undefined, {
      signal: AbortSignal.any([signal, stop.signal]),
    })
    try {
      await Promise.race([this.#settled.promise, patience])
    } finally {
      stop.abort()
      // Ended by ourselves.
      patience.catch(() => undefined)
    }
  }

  #settleIfDone(): void {
    if (this.#open.size === 0) this.#settled.resolve()
  }
}
