import { ensureTradePartitions } from '@tickertape/market-store'
import type { Database } from '@tickertape/market-store'

/** Days that trades can be written to: asked of the database once, and again when one of them is gone. */
export class TradeDays {
  readonly #database: Database
  readonly #onMade: (partitions: readonly string[]) => void
  readonly #present = new Set<number>()

  constructor(database: Database, onMade: (partitions: readonly string[]) => void) {
    this.#database = database
    this.#onMade = onMade
  }

  /** Makes the partitions that are missing: replays bring trades of old days. */
  async ensure(days: ReadonlySet<number>): Promise<void> {
    const unknown = [...days].filter((day) => !this.#present.has(day))
    if (unknown.length === 0) return
    const made = await ensureTradePartitions(this.#database, unknown)
    for (const day of unknown) this.#present.add(day)
    if (made.length > 0) this.#onMade(made)
  }

  /** One of them may be gone: retention drops them, here or in another instance. */
  forget(): void {
    this.#present.clear()
  }
}
