export interface SentCount {
  trades: number
  readonly firstSequence: number
  lastSequence: number
}

/** Counts what one venue sent over its WebSocket, by instrument; once for each channel. */
export class SentTrades {
  readonly #counts = new Map<string, SentCount>()

  add(instrument: string, sequence: number): void {
    const count = this.#counts.get(instrument)
    if (count === undefined) {
      this.#counts.set(instrument, { trades: 1, firstSequence: sequence, lastSequence: sequence })
      return
    }
    count.trades += 1
    count.lastSequence = Math.max(count.lastSequence, sequence)
  }

  of(instrument: string): SentCount | undefined {
    return this.#counts.get(instrument)
  }
}
