import { Readiness } from '@tickertape/service-runtime'
import { expect, it } from 'vitest'

import { CatalogReader } from './catalog-reader.ts'
import type { ReadCatalog } from './catalog-reader.ts'
import type { InstrumentFacts } from './instrument-catalog.ts'
import { RestError } from './rest-client.ts'

const { signal } = new AbortController()

function spot(instrument: string): InstrumentFacts {
  return { instrument, base: instrument, quote: 'USDT', kind: 'spot', quantityUnit: 'base' }
}

function reading(...answers: (readonly InstrumentFacts[] | Error)[]) {
  const readiness = new Readiness()
  const failures: string[] = []
  let at = 0
  const read: ReadCatalog = async () => {
    const answer = answers[at] ?? []
    at += 1
    if (answer instanceof Error) throw answer
    return answer
  }
  const events = { catalogNotRead: (error: Error) => void failures.push(error.message) }
  return { reader: new CatalogReader(read, readiness, events), readiness, failures }
}

it('a catalog that cannot be had is told in readiness until it can', async () => {
  const { reader, readiness, failures } = reading(new RestError('unavailable', 'away'), [spot('A')])
  expect(await reader.read(signal)).toBeUndefined()
  expect(readiness.degraded.map(({ subject }) => subject)).toEqual(['catalog'])
  expect(failures).toEqual(['away'])
  expect(await reader.read(signal)).toEqual([spot('A')])
  expect(readiness.degraded).toEqual([])
})

// Binance answers with an empty list of symbols while it is under maintenance.
it('an empty catalog is none', async () => {
  const { reader, failures } = reading([])
  expect(await reader.read(signal)).toBeUndefined()
  expect(failures).toEqual(['the venue lists no instruments'])
})

it('what is missing once and there again has not left', async () => {
  const { reader } = reading([spot('A')], [spot('A'), spot('B')], new RestError('unavailable', ''))
  expect(await reader.read(signal)).toEqual([spot('A')])
  expect(await reader.stillMissing(['B', 'C'], signal)).toEqual(['C'])
  expect(await reader.stillMissing(['C'], signal)).toEqual([])
})

it('a mistake of ours is thrown, not waited for', async () => {
  const { reader } = reading(new TypeError('ours'))
  await expect(reader.read(signal)).rejects.toThrow('ours')
})
