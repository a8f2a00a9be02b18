import type { InstrumentFacts } from './instrument-catalog.ts'
import { selects } from './instrument-selection.ts'
import type { InstrumentSelection } from './instrument-selection.ts'

/** What a reading of the venue's catalog says of the instruments that are read. */
export interface CatalogChanges {
  /** Not read so far. */
  readonly listed: readonly InstrumentFacts[]
  /** Read already, with facts that are new or other ones. */
  readonly described: readonly InstrumentFacts[]
  /** Read so far, and no longer in the catalog. */
  readonly vanished: readonly string[]
}

export interface CatalogView {
  readonly selection: InstrumentSelection
  /** Instruments that are read. */
  readonly followed: Iterable<string>
  /** Facts as they were written last. */
  readonly facts: ReadonlyMap<string, InstrumentFacts>
}

/** @param catalog read whole: what is not in it does not trade. */
export function catalogChanges(
  { selection, followed, facts }: CatalogView,
  catalog: readonly InstrumentFacts[],
): CatalogChanges {
  const read = new Set(followed)
  const present = new Map(catalog.map((each) => [each.instrument, each]))
  const selected = [...present.values()].filter(({ instrument }) => selects(selection, instrument))
  return {
    listed: selected.filter(({ instrument }) => !read.has(instrument)),
    described: selected.filter((each) => {
      return read.has(each.instrument) && !sameFacts(facts.get(each.instrument), each)
    }),
    vanished: [...read].filter((instrument) => !present.has(instrument)),
  }
}

function sameFacts(one: InstrumentFacts | undefined, other: InstrumentFacts): boolean {
  return (
    one?.base === other.base &&
    one.quote === other.quote &&
    one.kind === other.kind &&
    one.quantityUnit === other.quantityUnit
  )
}
