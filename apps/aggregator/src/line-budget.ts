/** What a line's kind may do now. */
export interface LineVerdict {
  readonly write: boolean
  /** Lines of this kind that were withheld in the span that has just ended. */
  readonly withheldBefore: number
}

interface Kind {
  since: number
  written: number
  withheld: number
}

/**
 * Lets the first few log lines of each kind through in a span of time and counts the others: a flood of a
 * million records that are turned away must not become a million lines. Kinds are few and fixed.
 */
export class LineBudget {
  readonly #lines: number
  readonly #spanMs: number
  readonly #kinds = new Map<string, Kind>()

  constructor(limits: { readonly lines: number; readonly spanMs: number }) {
    this.#lines = limits.lines
    this.#spanMs = limits.spanMs
  }

  /** @param now in ms, of a clock that does not go back. */
  take(kind: string, now: number): LineVerdict {
    const known = this.#kinds.get(kind)
    if (known === undefined || now - known.since >= this.#spanMs) {
      this.#kinds.set(kind, { since: now, written: 1, withheld: 0 })
      return { write: true, withheldBefore: known?.withheld ?? 0 }
    }
    if (known.written < this.#lines) {
      known.written += 1
      return { write: true, withheldBefore: 0 }
    }
    known.withheld += 1
    return { write: false, withheldBefore: 0 }
  }

  /** Kinds whose span has ended with lines withheld; each is told once. */
  takeWithheld(now: number): readonly { readonly kind: string; readonly withheld: number }[] {
    const ended: { kind: string; withheld: number }[] = []
    for (const [kind, { since, withheld }] of this.#kinds) {
      if (now - since < this.#spanMs) continue
      this.#kinds.delete(kind)
      if (withheld > 0) ended.push({ kind, withheld })
    }
    return ended
  }
}
