import type { PartitionOutput } from './owned-partition.ts'

export interface CommitWork {
  /** All that was applied since the last call; it counts as done from then on. */
  readonly take: () => readonly PartitionOutput[]
  /** One transaction. A failure is final: nothing that follows may be committed. */
  readonly write: (outputs: readonly PartitionOutput[]) => Promise<void>
}

/**
 * Transactions, one after the other. Records are applied on while one is under way; what comes of them
 * is for the next.
 */
export class Commits {
  readonly #work: CommitWork
  #inFlight: Promise<void> = Promise.resolve()
  /** The one that waits for the one under way: who asks meanwhile is served by it. */
  #next: Promise<void> | undefined
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
  begin(): Promise<void> {
    this.cancelSoon()
    this.#next ??= this.#begin()
    return this.#next
  }

  /** Begins one in this time, in ms, or earlier if asked again; nobody waits for it. */
  beginWithin(ms: number): void {
    // A failure is kept, and thrown by the next call.
    const begin = () => void this.begin().catch((error: unknown) => this.fail(error))
    if (ms <= 0) begin()
    else if (this.#next === undefined) this.#timer ??= setTimeout(begin, ms)
  }

  cancelSoon(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** Waits for the transactions under way, and begins no other by itself. */
  async settle(): Promise<void> {
    this.cancelSoon()
    await this.#next
    await this.#inFlight
    this.throwFailure()
  }

  /** Nothing is committed any more: `begin` and `settle` throw the first such error. */
  fail(error: unknown): void {
    this.#failure ??= { error }
  }

  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  async #begin(): Promise<void> {
    await this.#inFlight
    this.#next = undefined
    this.throwFailure()
    this.#last = performance.now()
    const outputs = this.#work.take()
    if (outputs.length === 0) return
    this.#inFlight = this.#work.write(outputs).catch((error: unknown) => this.fail(error))
  }
}
