/** Something that keeps texts that it can make again. */
export interface TextKeeper {
  dropTexts(): void
}

/** Bounds the texts that are kept over all: whose texts were not asked for for the longest time drops them. */
export class TextBudget {
  readonly #limit: number
  /** By keeper its bytes, the longest unused first. */
  readonly #kept = new Map<TextKeeper, number>()
  #bytes = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** To be told of each use, and of the bytes that it added. */
  used(keeper: TextKeeper, addedBytes: number): void {
    const bytes = (this.#kept.get(keeper) ?? 0) + addedBytes
    this.#kept.delete(keeper)
    this.#kept.set(keeper, bytes)
    this.#bytes += addedBytes
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.#limit || oldest === keeper) return
      this.dropped(oldest)
      oldest.dropTexts()
    }
  }

  /** Its texts are gone. */
  dropped(keeper: TextKeeper): void {
    this.#bytes -= this.#kept.get(keeper) ?? 0
    this.#kept.delete(keeper)
  }
}
