import type { PartitionOutput } from './owned-partition.ts'

export interface CommitWork {
  /** All that was applied since the last call; it counts as done from then on. */
  readonly take: () => readonly PartitionOutput[]
  /** One transaction. A failure is final: nothing that follows may be committed. */
  readonly write: (outputs: readonly PartitionOutput[]) => Promise<void>
}

/**
 * How long the first results wait for company, in ms. Heartbeats of one moment come from each partition
 * by itself, within a millisecond or two; without this all but the first partition's candles would wait
 * for a transaction of their own, behind the first one's.
 */
const gatheringMs = 2

/**
 * Transactions, one after the other. Records are applied on while one is under way; what comes of them
 * is for the next.
 */
export class Commits {
  readonly #work: CommitWork
  #inFlight: Promise<void> = Promise.resolve()
  #failure: { readonly error: unknown } | undefined
  #last = performance.now()
  #timer: NodeJS.Timeout | undefined

  constructor(work: CommitWork) {
    this.#work = work
  }

  /** Time since the last transaction began, in ms. */
  get sinceLastMs(): number {
    return performance.now() - this.#last
  }

  /**
   * Begins a transaction with all that was applied, as soon as the one before it is through.
   *
   * @throws what ended an earlier one, or was told to `fail`.
   */
  async begin(): Promise<void> {
    this.cancelSoon()
    await this.#quiet()
    this.throwFailure()
    this.#last = performance.now()
    const outputs = this.#work.take()
    if (outputs.length === 0) return
    this.#inFlight = this.#work.write(outputs).catch((error: unknown) => this.fail(error))
  }

  /** Begins one in a moment, together with what comes until then. */
  beginSoon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      // Its failure is kept, and thrown by the next call.
      this.begin().catch((error: unknown) => this.fail(error))
    }, gatheringMs)
  }

  cancelSoon(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** Waits for the transaction under way, and begins no other by itself. */
  async settle(): Promise<void> {
    this.cancelSoon()
    await this.#quiet()
    this.throwFailure()
  }

  /** Nothing is committed any more: `begin` and `settle` throw the first such error. */
  fail(error: unknown): void {
    this.#failure ??= { error }
  }

  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** While somebody waits, somebody else may begin the next one. */
  async #quiet(): Promise<void> {
    let awaited: Promise<void> | undefined
    while (awaited !== this.#inFlight) {
      awaited = this.#inFlight
      await awaited
    }
  }
}
