import type { SequenceGap } from '@tickertape/market-model'

type Gap = Pick<SequenceGap, 'gapId' | 'instrumentId' | 'fromTime' | 'state'>

/** Gaps that stand open in the log: of those who read it, none can tell as early that one stays. */
export class OpenGaps {
  /** Where each begins, by its id and then its instrument; null is the whole feed. */
  readonly #open = new Map<string, Map<string | null, number>>()

  /** @param gap as it is written to the log; one of the whole feed that is closed closes those of its instruments. */
  told({ gapId, instrumentId, fromTime, state }: Gap): void {
    const known = this.#open.get(gapId)
    if (state === 'open') {
      if (known === undefined) this.#open.set(gapId, new Map([[instrumentId, fromTime]]))
      else known.set(instrumentId, fromTime)
      return
    }
    if (instrumentId !== null) known?.delete(instrumentId)
    if (instrumentId === null || known?.size === 0) this.#open.delete(gapId)
  }

  /** One of a feed counts once, however many instruments it has to do with. */
  get count(): number {
    return this.#open.size
  }

  /** Event time at which the oldest begins, ms since the epoch; undefined without any. */
  get from(): number | undefined {
    let from: number | undefined
    for (const gaps of this.#open.values()) {
      for (const each of gaps.values()) if (from === undefined || each < from) from = each
    }
    return from
  }
}
