import { setTimeout as wait } from 'node:timers/promises'

export interface KeptCopyOptions<T> {
  /** Reads what stands elsewhere; must end by itself. */
  readonly read: () => Promise<T>
  readonly everyMs: number
  /** How long what was read counts while it cannot be read again. */
  readonly outageMs: number
  readonly onRead: (value: T) => void
  readonly onFailure: (error: unknown) => void
}

/** Least time between two readings, however often somebody misses something in the copy. */
const leastMs = 1_000

/** The longest that a copy may count without having been read anew, beyond the time between two readings. */
const readingMs = 5_000

/**
 * A copy in memory of what stands elsewhere (keys, a key set): read again every so often, and at once when
 * somebody misses something in it; kept for a bounded time while the source is away.
 */
export class KeptCopy<T> implements AsyncDisposable {
  readonly #options: KeptCopyOptions<T>
  readonly #stopping = new AbortController()
  #held: { readonly value: T; readonly readAt: number } | undefined
  #reading: Promise<boolean> | undefined
  #lastReadAt = -Infinity
  readonly #ended: Promise<void>

  private constructor(options: KeptCopyOptions<T>) {
    this.#options = options
    this.#ended = this.#run()
  }

  /** Does not wait for the first reading: the source may be away. */
  static open<T>(options: KeptCopyOptions<T>): KeptCopy<T> {
    return new KeptCopy(options)
  }

  /** undefined: it was never read, or too long ago. */
  get value(): T | undefined {
    if (this.#held === undefined) return undefined
    const { everyMs, outageMs } = this.#options
    const age = performance.now() - this.#held.readAt
    return age <= Math.max(outageMs, everyMs + readingMs) ? this.#held.value : undefined
  }

  /**
   * Reads it again; whoever asks meanwhile shares the answer, and within a second there is one reading.
   *
   * @returns whether it could be read.
   */
  async refresh(): Promise<boolean> {
    this.#reading ??= this.#readWhenDue().finally(() => {
      this.#reading = undefined
    })
    return await this.#reading
  }

  async #readWhenDue(): Promise<boolean> {
    const restMs = this.#lastReadAt + leastMs - performance.now()
    if (restMs > 0) await this.#pause(restMs)
    if (this.#stopping.signal.aborted) return false
    const readAt = performance.now()
    this.#lastReadAt = readAt
    try {
      const value = await this.#options.read()
      this.#held = { value, readAt }
      this.#options.onRead(value)
      return true
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#options.onFailure(error)
      return false
    }
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const wasRead = await this.refresh()
      await this.#pause(wasRead ? this.#options.everyMs : Math.min(this.#options.everyMs, leastMs))
    }
  }

  async #pause(ms: number): Promise<void> {
    // An abort only ends the pause.
    await wait(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort()
    await this.#ended
  }
}
