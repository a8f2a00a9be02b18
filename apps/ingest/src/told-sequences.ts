import type { Hole } from './sequence-tracker.ts'

export interface ToldSequence {
  readonly instrument: string
  /** Milliseconds since the epoch. */
  readonly time: number
  /** The instrument's last trade at that time; undefined if it has none. */
  readonly lastSequence: number | undefined
}

/**
 * Compares what a venue says is the last trade of an instrument with the trades that came. A trade that
 * is missing shows so even if no other one follows it.
 */
export class ToldSequences {
  readonly #seen = new Map<string, number>()
  /** What the venue told and did not send yet. */
  readonly #open = new Map<string, ToldSequence & { readonly lastSequence: number }>()
  readonly #onCaughtUp: (instrument: string, time: number) => void

  /** @param onCaughtUp everything that the venue told up to this time has come. */
  constructor(onCaughtUp: (instrument: string, time: number) => void) {
    this.#onCaughtUp = onCaughtUp
  }

  seen(instrument: string, sequence: number): void {
    if (sequence <= (this.#seen.get(instrument) ?? -1)) return
    this.#seen.set(instrument, sequence)
    const open = this.#open.get(instrument)
    if (open === undefined || open.lastSequence > sequence) return
    this.#open.delete(instrument)
    this.#onCaughtUp(instrument, open.time)
  }

  /**
   * A telling may overtake a trade; one that the venue did not send until it tells again is missing.
   *
   * @returns what is missing.
   */
  told({ instrument, lastSequence, time }: ToldSequence): Hole | undefined {
    const seen = this.#seen.get(instrument)
    // Without any trade to begin with there is nothing to compare.
    if (seen === undefined || lastSequence === undefined || lastSequence <= seen) {
      this.#open.delete(instrument)
      this.#onCaughtUp(instrument, time)
      return undefined
    }
    const before = this.#open.get(instrument)
    if (before !== undefined) return { from: seen + 1, to: before.lastSequence }
    this.#open.set(instrument, { instrument, time, lastSequence })
    return undefined
  }

  forget(instruments: readonly string[]): void {
    for (const each of instruments) {
      this.#seen.delete(each)
      this.#open.delete(each)
    }
  }
}
