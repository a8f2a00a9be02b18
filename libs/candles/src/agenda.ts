import type { InstrumentProgress } from './instrument-progress.ts'

/** Stored windows that the next heartbeat must ask what they come to: by end, interval and instrument. */
export class Agenda {
  readonly #byEnd = new Map<number, Map<number, Set<InstrumentProgress>>>()
  /** Ascending. */
  #ends: number[] = []

  get nextEnd(): number {
    return this.#ends[0] ?? Infinity
  }

  /** @param level index of the interval; 0 is the lowest. */
  add(end: number, level: number, instrument: InstrumentProgress): void {
    let levels = this.#byEnd.get(end)
    if (levels === undefined) {
      levels = new Map()
      this.#byEnd.set(end, levels)
      let at = this.#ends.length
      while (at > 0 && (this.#ends[at - 1] ?? 0) > end) at -= 1
      this.#ends.splice(at, 0, end)
    }
    const instruments = levels.get(level)
    if (instruments === undefined) levels.set(level, new Set([instrument]))
    else instruments.add(instrument)
  }

  /** Those of one interval that end at exactly this time; they leave the agenda. */
  take(end: number, level: number): Iterable<InstrumentProgress> {
    const instruments = this.#byEnd.get(end)?.get(level)
    if (instruments === undefined) return none
    this.#byEnd.get(end)?.delete(level)
    return instruments
  }

  /** Nothing more is asked at this end. */
  done(end: number): void {
    this.#byEnd.delete(end)
    if (this.#ends[0] === end) this.#ends.shift()
  }

  /** Of the lowest interval, up to a time. */
  *lowestUpTo(
    time: number,
  ): Generator<{ readonly end: number; readonly instrument: InstrumentProgress }> {
    for (const end of this.#ends) {
      if (end > time) return
      for (const instrument of this.#byEnd.get(end)?.get(0) ?? none) yield { end, instrument }
    }
  }

  move(instrument: InstrumentProgress, to: Agenda): void {
    for (const [end, levels] of this.#byEnd) {
      for (const [level, instruments] of levels) {
        if (instruments.delete(instrument)) to.add(end, level, instrument)
      }
    }
  }
}

const none: ReadonlySet<InstrumentProgress> = new Set()
