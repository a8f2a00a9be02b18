/**
 * Versions of the latest trades of one instrument, by id: between one and two times as many as the limit.
 * What comes again after that is taken for new.
 */
export class KnownTrades {
  readonly #limit: number
  #recent = new Map<string, number>()
  #earlier: ReadonlyMap<string, number> = new Map()

  constructor(limit: number) {
    this.#limit = limit
  }

  /** @returns whether the version is the highest of its trade so far: of equal ones the first. */
  isNew(tradeId: string, version: number): boolean {
    const known = this.#recent.get(tradeId) ?? this.#earlier.get(tradeId)
    if (known !== undefined && known >= version) return false
    this.#recent.set(tradeId, version)
    if (this.#recent.size >= this.#limit) {
      this.#earlier = this.#recent
      this.#recent = new Map()
    }
    return true
  }
}
