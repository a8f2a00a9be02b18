import type { Readiness } from '@tickertape/service-runtime'

import type { IngestEvents } from './events.ts'
import type { InstrumentFacts } from './instrument-catalog.ts'
import { RestError } from './rest-client.ts'

export type ReadCatalog = (signal: AbortSignal) => Promise<readonly InstrumentFacts[]>

/** Reads the venue's catalog, and says in readiness that it cannot be had. */
export class CatalogReader {
  readonly #read: ReadCatalog
  readonly #readiness: Readiness
  readonly #events: Pick<IngestEvents, 'catalogNotRead'>

  constructor(
    read: ReadCatalog,
    readiness: Readiness,
    events: Pick<IngestEvents, 'catalogNotRead'>,
  ) {
    this.#read = read
    this.#readiness = readiness
    this.#events = events
  }

  /** @returns the whole catalog; undefined if the venue does not give it. */
  async read(signal: AbortSignal): Promise<readonly InstrumentFacts[] | undefined> {
    try {
      const catalog = await this.#read(signal)
      // A venue under maintenance lists nothing: nobody would call all of its instruments expired.
      if (catalog.length === 0) throw new RestError('unavailable', 'the venue lists no instruments')
      this.#readiness.ready('catalog')
      return catalog
    } catch (error) {
      if (!(error instanceof RestError)) throw error
      this.#readiness.degrade(
        'catalog',
        `the venue's instruments are not known; patterns take only those known before: ${error.message}`,
      )
      this.#events.catalogNotRead(error)
      return undefined
    }
  }

  /**
   * Which of the instruments are missing from another reading as well: only those have left. An answer
   * that lacks some once may come from a machine of the venue's that was behind.
   */
  async stillMissing(
    instruments: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    if (instruments.length === 0) return []
    const again = await this.read(signal)
    if (again === undefined) return []
    const present = new Set(again.map(({ instrument }) => instrument))
    return instruments.filter((instrument) => !present.has(instrument))
  }
}
