import type { Database } from '@tickertape/market-store'
import { expect, it } from 'vitest'

import { Catalog } from './catalog.ts'

interface Row {
  readonly instrumentId: string
  readonly sourceOffset: number
}

/** Answers the catalog's two statements as PostgreSQL does: rows of instruments behind an offset, and no gaps. */
class InstrumentRows {
  rows: readonly Row[] = []
  isAway = false

  readonly query: Database['query'] = async (query) => {
    if (this.isAway) throw new Error('away')
    const { name, values = [] } = typeof query === 'string' ? {} : query
    // The second value of both statements is offsets by partition.
    const [readTo = -1] = values[1] as readonly number[]
    const rows = name === 'new-instruments' ? this.rows : []
    const found = rows.filter(({ sourceOffset }) => sourceOffset > readTo)
    // Columns that this test does not look at are left out.
    return {
      rows: found.map((row) => ({ ...row, sourcePartition: 0 })),
      rowCount: found.length,
    } as never
  }
}

// The offsets that had been read outlived topics that were made anew: what the new ones brought stands at lower
// offsets, so that no instrument or gap was seen again until the gateway was started anew.
it('once it is to read again, what stands at lower offsets is found, and the rest is gone', async () => {
  const database = new InstrumentRows()
  database.rows = [{ instrumentId: 'v:OLD', sourceOffset: 900 }]
  const nothing = (): void => undefined
  await using catalog = await Catalog.open({
    database,
    partitions: 1,
    onFailure: nothing,
    onSuccess: nothing,
  })
  const ids = () => catalog.instruments().map(({ instrumentId }) => instrumentId)
  expect(ids()).toEqual(['v:OLD'])
  database.rows = [{ instrumentId: 'v:NEW', sourceOffset: 3 }]
  catalog.readAgain()
  database.isAway = true
  await expect(catalog.refresh()).rejects.toThrow('away')
  expect(ids()).toEqual(['v:OLD'])
  database.isAway = false
  await catalog.refresh()
  expect(ids()).toEqual(['v:NEW'])
  database.rows = [...database.rows, { instrumentId: 'v:LATER', sourceOffset: 4 }]
  await catalog.refresh()
  expect(ids()).toEqual(['v:LATER', 'v:NEW'])
})
