import { expect, it } from 'vitest'

import { catalogChanges } from './catalog-changes.ts'
import type { InstrumentFacts } from './instrument-catalog.ts'
import { readSelection } from './instrument-selection.ts'

function future(instrument: string, quote = 'USD'): InstrumentFacts {
  return { instrument, base: 'BTC', quote, kind: 'future', quantityUnit: 'quote' }
}

const known = [future('BTC-1'), future('BTC-2')]
const view = {
  selection: readSelection(['BTC-*', 'ETH-1']),
  followed: ['BTC-1', 'BTC-2', 'ETH-1'],
  facts: new Map(known.map((each) => [each.instrument, each])),
}

it('nothing changes while the catalog says the same', () => {
  const facts = new Map(view.facts).set('ETH-1', future('ETH-1'))
  const changes = catalogChanges({ ...view, facts }, [future('ETH-1'), ...known])
  expect(changes).toEqual({ listed: [], described: [], vanished: [] })
})

it('a listing that a pattern takes is listed, any other is none of ours', () => {
  const { listed } = catalogChanges(view, [...known, future('BTC-3'), future('SOL-1')])
  expect(listed).toEqual([future('BTC-3')])
})

it('facts that are new or other ones are described again', () => {
  const changes = catalogChanges(view, [future('BTC-1', 'USDC'), future('BTC-2'), future('ETH-1')])
  expect(changes.described).toEqual([future('BTC-1', 'USDC'), future('ETH-1')])
})

it('what is no longer in the catalog has vanished, whether it was asked for by name or pattern', () => {
  expect(catalogChanges(view, [future('BTC-1')]).vanished).toEqual(['BTC-2', 'ETH-1'])
})
