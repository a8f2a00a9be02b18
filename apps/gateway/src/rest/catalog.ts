import { setTimeout as wait } from 'node:timers/promises'

import type { GapResource, InstrumentResource } from '@tickertape/market-api'
import { partitionOf } from '@tickertape/kafka-avro'
import type { Database } from '@tickertape/market-store'

import { KnownGaps } from './known-gaps.ts'
import type { StoredGap } from './known-gaps.ts'

/** An instrument as it is stored. */
export type StoredInstrument = Omit<InstrumentResource, 'summary'>

export interface CatalogOptions {
  readonly database: Pick<Database, 'query'>
  /** Of each topic. */
  readonly partitions: number
  readonly onFailure: (error: unknown) => void
  readonly onSuccess: () => void
}

/** How long memory may be behind the database. */
const refreshMs = 2_000

/**
 * Instruments and gaps, which are few and asked for with every page: read whole once, then every other second what
 * the sink has written since. While the database is away, what is known stays.
 */
export class Catalog implements AsyncDisposable {
  readonly #options: CatalogOptions
  readonly #stopping = new AbortController()
  #entries: Entries
  #isStale = false
  #sorted: readonly StoredInstrument[] | undefined
  #following: Promise<void> = Promise.resolve()

  private constructor(options: CatalogOptions) {
    this.#options = options
    this.#entries = noEntries(options.partitions)
  }

  /** @throws what the database says. */
  static async open(options: CatalogOptions): Promise<Catalog> {
    const catalog = new Catalog(options)
    await catalog.refresh()
    catalog.#following = catalog.#follow()
    return catalog
  }

  instrument(instrumentId: string): StoredInstrument | undefined {
    return this.#entries.instruments.get(instrumentId)
  }

  /** By instrumentId. */
  instruments(): readonly StoredInstrument[] {
    this.#sorted ??= [...this.#entries.instruments.values()].sort((a, b) =>
      a.instrumentId < b.instrumentId ? -1 : 1,
    )
    return this.#sorted
  }

  /** Gaps of an instrument or its feed that touch [from, to), oldest first. */
  gaps(instrumentId: string, from: number, to: number): readonly GapResource[] {
    const feedId = this.#entries.instruments.get(instrumentId)?.feedId
    const partition = partitionOf(instrumentId, this.#options.partitions)
    return this.#entries.gaps.of({ instrumentId, feedId, partition }, from, to)
  }

  /** Every gap that is known, each once, the latest first. */
  allGaps(): readonly GapResource[] {
    return this.#entries.gaps.all()
  }

  /**
   * Has the next refresh read everything again: of topics that are made anew offsets begin anew, and what has been
   * read of the old ones says nothing about them. Until then what is known stays.
   */
  readAgain(): void {
    this.#isStale = true
  }

  /** Reads what is new. @throws what the database says. */
  async refresh(): Promise<void> {
    const { database, partitions } = this.#options
    const readsAll = this.#isStale
    this.#isStale = false
    const entries = readsAll ? noEntries(partitions) : this.#entries
    const { seen } = entries
    const numbers = Array.from({ length: partitions }, (_, partition) => partition)
    try {
      const [instruments, gaps] = await Promise.all([
        database.query<InstrumentRow>({ ...newInstruments, values: [numbers, seen.instruments] }),
        database.query<GapRow>({ ...newGaps, values: [numbers, seen.gaps] }),
      ])
      take(entries, instruments.rows, gaps.rows)
      this.#entries = entries
      if (readsAll || instruments.rows.length > 0) this.#sorted = undefined
    } catch (error) {
      this.#isStale ||= readsAll
      throw error
    }
  }

  async #follow(): Promise<void> {
    const { onFailure, onSuccess } = this.#options
    const { signal } = this.#stopping
    for (;;) {
      // The abort is seen below.
      await wait(refreshMs, undefined, { signal }).catch(() => undefined)
      if (signal.aborted) return
      try {
        await this.refresh()
        onSuccess()
      } catch (error) {
        onFailure(error)
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort()
    await this.#following
  }
}

/** What has been read. */
interface Entries {
  readonly instruments: Map<string, StoredInstrument>
  readonly gaps: KnownGaps
  /** By partition, the newest offset that has been read of each table. */
  readonly seen: { readonly instruments: number[]; readonly gaps: number[] }
}

function noEntries(partitions: number): Entries {
  const none = Array.from({ length: partitions }, () => -1)
  return {
    instruments: new Map(),
    gaps: new KnownGaps(),
    seen: { instruments: none, gaps: [...none] },
  }
}

function take(
  { instruments, gaps, seen }: Entries,
  instrumentRows: readonly InstrumentRow[],
  gapRows: readonly GapRow[],
): void {
  for (const { sourcePartition, sourceOffset, ...instrument } of instrumentRows) {
    instruments.set(instrument.instrumentId, instrument)
    raise(seen.instruments, sourcePartition, Number(sourceOffset))
  }
  for (const row of gapRows) raise(seen.gaps, row.sourcePartition, Number(row.sourceOffset))
  gaps.add(gapRows.map(storedGap))
}

interface InstrumentRow extends StoredInstrument {
  readonly sourcePartition: number
  readonly sourceOffset: string
}

const newInstruments = {
  name: 'new-instruments',
  text: `select instrument_id as "instrumentId", venue, instrument, feed_id as "feedId", status, base, quote, kind,
      quantity_unit as "quantityUnit", source_partition as "sourcePartition", source_offset as "sourceOffset"
    from instruments
    join unnest($1::integer[], $2::bigint[]) as seen (partition, read_to)
      on source_partition = seen.partition and source_offset > seen.read_to`,
}

interface GapRow extends Omit<StoredGap, 'fromSequence' | 'toSequence' | 'partition'> {
  readonly fromSequence: string | null
  readonly toSequence: string | null
  readonly sourcePartition: number
  readonly sourceOffset: string
}

const newGaps = {
  name: 'new-gaps',
  text: `select gap_id as "gapId", feed_id as "feedId", instrument_id as "instrumentId",
      date_part('epoch', from_time) * 1000 as "fromTime", date_part('epoch', to_time) * 1000 as "toTime",
      from_sequence as "fromSequence", to_sequence as "toSequence", state,
      source_partition as "sourcePartition", source_offset as "sourceOffset"
    from sequence_gaps
    join unnest($1::integer[], $2::bigint[]) as seen (partition, read_to)
      on source_partition = seen.partition and source_offset > seen.read_to
    order by state = 'open' desc, to_time desc limit 20000`,
}

function storedGap(row: GapRow): StoredGap {
  const { sourcePartition, sourceOffset: _, fromSequence, toSequence, ...gap } = row
  return {
    ...gap,
    fromTime: Math.round(gap.fromTime),
    toTime: Math.round(gap.toTime),
    fromSequence: fromSequence === null ? null : Number(fromSequence),
    toSequence: toSequence === null ? null : Number(toSequence),
    partition: sourcePartition,
  }
}

function raise(seen: number[], partition: number, offset: number): void {
  seen[partition] = Math.max(seen[partition] ?? -1, offset)
}
